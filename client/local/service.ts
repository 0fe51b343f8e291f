import type { ClientOptions } from "../client.ts";
import { readError } from "../problem.ts";

/** A service whose bundle, tasks and profiles are used here. */
export interface Service extends ClientOptions {
  /** Its address, such as `https://xpeft.example.workers.dev`. */
  readonly url: string | URL;
}

/**
 * Reads a path of a service.
 *
 * @param options.isStored whether the browser's cache may have it
 * @throws ProblemError if the service answers with an error
 * @throws TypeError if the service cannot be reached
 */
export async function get(service: Service, path: string, { isStored = true } = {}): Promise<Response> {
  const { url, key, headers, fetch = globalThis.fetch } = service;
  const response = await fetch(new URL(path, url), {
    ...(!isStored && { cache: "no-store" }),
    headers: { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers },
  });
  if (!response.ok) throw await readError(response);
  return response;
}
