import type { ClientResponse } from "hono/client";
import { type Client, type ClientOptions, createClient } from "../client.ts";
import { readError } from "../problem.ts";

/** A service whose bundle, tasks and profiles are used here. */
export interface Service extends ClientOptions {
  /** Its address, such as `https://xpeft.example.workers.dev`. */
  readonly url: string | URL;
}

/** The service cannot be reached, and what is needed of it was not read before. */
export class UnreachableError extends Error {
  readonly hint = "Check the connection, then try again.";

  constructor(url: string | URL, cause: unknown) {
    super(`${url} cannot be reached.`, { cause });
    this.name = "UnreachableError";
  }
}

/** Returns a client of a service, whose requests fail with an {@link UnreachableError} if there is no connection. */
export function connect({ url, fetch = globalThis.fetch, ...options }: Service): Client {
  return createClient(url, {
    ...options,
    fetch: async (...request: Parameters<typeof fetch>) => {
      try {
        return await fetch(...request);
      } catch (cause) {
        throw new UnreachableError(url, cause);
      }
    },
  });
}

/** Options of a request that the browser's cache neither answers nor stores. */
export const UNCACHED = { init: { cache: "no-store" } } as const;

/** Returns a response. @throws ProblemError if the service answers with an error; or UnreachableError */
export async function successful<R extends ClientResponse<unknown>>(pending: Promise<R>): Promise<R> {
  const response = await pending;
  if (!response.ok) throw await readError(response);
  return response;
}
