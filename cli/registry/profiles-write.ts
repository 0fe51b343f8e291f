import { unwrap } from "../../client/index.ts";
import type { WorkerOptions, WorkerOutputOptions } from "../options.ts";
import { printResult } from "../output.ts";
import { openClient } from "../worker-client.ts";

/** The generation that a row must have to be written, if the user names one. */
interface GenerationOptions {
  readonly ifGeneration?: number;
}

const routesOf = (options: WorkerOptions) => openClient(options).v1.profiles[":task"][":profile"];

const preconditionOf = ({ ifGeneration }: GenerationOptions) =>
  ifGeneration === undefined ? {} : { headers: { "if-match": `"${ifGeneration}"` } };

/** `xpeft profiles rollback TASK PROFILE GENERATION`. */
export async function rollBackProfile(
  task: string,
  id: string,
  generation: number,
  options: WorkerOutputOptions & GenerationOptions,
) {
  const { rollback } = routesOf(options);
  const request = { param: { task, profile: id }, json: { generation } };
  const written = await unwrap(rollback.$post(request, preconditionOf(options)));
  printResult(
    options,
    written,
    () => `Wrote generation ${generation} of ${task}/${id} again, as generation ${written.generation}.`,
  );
}

/** `xpeft profiles delete TASK PROFILE`. */
export async function deleteProfile(
  task: string,
  id: string,
  options: WorkerOutputOptions & GenerationOptions,
): Promise<void> {
  const request = { param: { task, profile: id } };
  const deleted = await unwrap(routesOf(options).$delete(request, preconditionOf(options)));
  printResult(options, { task, profile: id, ...deleted }, () => `Deleted ${task}/${id}.`);
}

interface TokenOptions extends WorkerOutputOptions {
  readonly ttl: number;
  readonly withTask?: boolean;
}

/** `xpeft profiles token TASK PROFILE`. */
export async function createToken(task: string, id: string, options: TokenOptions): Promise<void> {
  const json = { ttlSeconds: options.ttl, carry: options.withTask ? "all" : "profile" } as const;
  const created = await unwrap(routesOf(options).token.$post({ param: { task, profile: id }, json }));
  if (!options.json) console.error(`Token of ${created.bytes} bytes, valid until ${created.expiresAt}:`);
  printResult(options, created, () => created.token);
}
