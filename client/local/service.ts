import type { ClientOptions } from "../client.ts";
import { readError } from "../problem.ts";

/** A service whose bundle, tasks and profiles are used here. */
export interface Service extends ClientOptions {
  /** Its address, such as `https://xpeft.example.workers.dev`. */
  readonly url: string | URL;
}

/** What the browser's cache may do: answer; or only take the new answer. */
export type Cached = "default" | "reload" | "no-store";

/**
 * Reads a path of a service.
 *
 * @param path without a slash at its beginning
 * @throws ProblemError if the service answers with an error
 * @throws TypeError if the service cannot be reached
 */
export async function get(service: Service, path: string, cached: Cached = "default"): Promise<Response> {
  const { url, key, headers, fetch = globalThis.fetch } = service;
  // The address may have a path of its own.
  const base = String(url).replace(/\/*$/, "/");
  const init = {
    ...(cached !== "default" && { cache: cached }),
    headers: { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers },
  };
  const response = await fetch(new URL(path, base), init as RequestInit);
  if (!response.ok) throw await readError(response);
  return response;
}
