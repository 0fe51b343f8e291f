import type { RunningWorker } from "../../support/worker.ts";

/** The parts of an OpenAPI schema that the tests read. */
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

/** The parts of the OpenAPI document that the tests read. */
export interface ApiDocument {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

/** Options that hints name. */
const OPTIONS = ["truncate", "truncation", "onUnknownProfile", "carry", "epochs", "profiles=delete"];

/** Reads the Worker's OpenAPI document. */
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

/** Returns the parameters and the body's fields of all methods of a path. */
function optionsOf(api: ApiDocument, path: string): string[] {
  return Object.values(api.paths[path] ?? {}).flatMap(({ parameters = [], requestBody }) => [
    ...parameters.map(({ name }) => name),
    ...Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => fieldsOf(api, schema)),
  ]);
}

/** Returns the path of the OpenAPI document that an address belongs to; empty if there is none. */
export function pathOf(api: ApiDocument, address: string): string {
  const fits = (path: string) => {
    const [parts, given] = [path.split("/"), address.split("/")];
    return parts.length === given.length && parts.every((part, index) => part.startsWith("{") || part === given[index]);
  };
  // A path without parameters goes first.
  return (
    Object.keys(api.paths)
      .sort((a, b) => a.split("{").length - b.split("{").length)
      .find(fits) ?? ""
  );
}

/**
 * Returns the options in a hint that neither the hint's route has, nor any route that the hint names.
 *
 * @param path the route's path in the OpenAPI document
 */
export function unknownOptions(api: ApiDocument, path: string, hint: string): string[] {
  const paths = [path, ...Object.keys(api.paths).filter((other) => hint.includes(` ${other}`))];
  const known = new Set(paths.flatMap((one) => optionsOf(api, one)));
  const words = hint.split(/[^\w=]+/);
  return OPTIONS.filter((option) => words.includes(option) && !known.has(option.replace(/=.*/, "")));
}
