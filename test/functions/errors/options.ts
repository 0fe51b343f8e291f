import type { RunningWorker } from "../../support/worker.ts";

/** What is read here of a schema of the OpenAPI document. */
interface Schema {
  readonly $ref?: string;
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

interface Operation {
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> };
}

/** What is read here of the OpenAPI document. */
export interface ApiDocument {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

/** Options that hints name. */
const OPTIONS = ["truncate", "onUnknownProfile", "carry", "epochs", "profiles=delete"];

/** Reads the Worker's description of its API. */
export async function readApi(worker: RunningWorker): Promise<ApiDocument> {
  return await (await worker.get("/openapi.json")).json<ApiDocument>();
}

function fieldsOf(api: ApiDocument, { $ref, properties = {}, items, anyOf = [], oneOf = [] }: Schema): string[] {
  const named = $ref === undefined ? undefined : api.components.schemas[$ref.split("/").at(-1) ?? ""];
  const inner = [named, items, ...anyOf, ...oneOf, ...Object.values(properties)].filter(
    (schema) => schema !== undefined,
  );
  return [...Object.keys(properties), ...inner.flatMap((schema) => fieldsOf(api, schema))];
}

/** The parameters and the body's fields of all methods of a path. */
function optionsOf(api: ApiDocument, path: string): string[] {
  return Object.values(api.paths[path] ?? {}).flatMap(({ parameters = [], requestBody }) => [
    ...parameters.map(({ name }) => name),
    ...Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => fieldsOf(api, schema)),
  ]);
}

/** The path of the API's description that an address belongs to; empty if there is none. */
export function pathOf(api: ApiDocument, address: string): string {
  const fits = (path: string) => {
    const [parts, asked] = [path.split("/"), address.split("/")];
    return parts.length === asked.length && parts.every((part, index) => part.startsWith("{") || part === asked[index]);
  };
  // A path without parameters goes first.
  return (
    Object.keys(api.paths)
      .sort((a, b) => a.split("{").length - b.split("{").length)
      .find(fits) ?? ""
  );
}

/**
 * Returns the options that a hint names although neither the route that shows it has them nor a route that it names.
 *
 * @param path a path of the API's description
 */
export function unknownOptions(api: ApiDocument, path: string, hint: string): string[] {
  const paths = [path, ...Object.keys(api.paths).filter((other) => hint.includes(` ${other}`))];
  const known = new Set(paths.flatMap((one) => optionsOf(api, one)));
  const [words, quoted] = [hint.split(/[^\w=]+/), OPTIONS];
  return quoted.filter((option) => words.includes(option) && !known.has(option.replace(/=.*/, "")));
}
