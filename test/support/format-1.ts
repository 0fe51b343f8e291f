import { copyFile, cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_BUNDLE } from "../../node/files.ts";
import { type RequestOptions, type RunningWorker, SECOND } from "./worker.ts";

/** The id of the default bundle in format 1. */
export const FORMAT_1_ID = "1723a9a2e428856c8e0e85862f6f1849";

/** Writes the default bundle as it was in format 1, without a tail and a packed encoder. */
export async function writeFormat1Bundle(folder: string): Promise<void> {
  await cp(DEFAULT_BUNDLE, folder, { recursive: true });
  for (const file of ["tail.0", "packed.0"]) await rm(join(folder, file));
  await copyFile("test/fixtures/manifest-format-1.json", join(folder, "manifest.json"));
}

/** Sends a request to a Worker. */
export type Send = (method: string, path: string, options?: RequestOptions) => Promise<Response>;

/** Sends a request to the Worker beside another one. */
export async function requestSecond(
  { harness, adminKey }: RunningWorker,
  method: string,
  path: string,
  { body, key = adminKey, headers }: RequestOptions = {},
): Promise<Response> {
  const response = await harness.getWorker(SECOND).fetch(path, {
    method,
    headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }), ...headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return new Response(await response.arrayBuffer(), { status: response.status });
}
