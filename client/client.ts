import { hc } from "hono/client";
import type { Api } from "./api.ts";
import { withSafePaths } from "./paths.ts";

/** Settings of a client. */
export interface ClientOptions {
  /** An API key or a profile token. Not needed where predictions are public. */
  readonly key?: string;
  /** Headers to send with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The function that sends requests; by default the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** A client of one service. Paths are properties; methods are functions whose names start with `$`. */
export type Client = ReturnType<typeof hc<Api>>;

/**
 * Returns a client with typed requests and responses.
 *
 * @param url the service's address, such as `https://xpeft.example.workers.dev`
 * @example
 * const client = createClient("http://localhost:8787");
 * const response = await client.v1.predict.$post({ json: { task: "news", profile: "news-000", inputs: "A text" } });
 * if (response.status === 200) console.log((await response.json()).predictions);
 */
export function createClient(url: string | URL, { key, headers, fetch }: ClientOptions = {}): Client {
  const client = hc<Api>(String(url), {
    headers: { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers },
    ...(fetch && { fetch }),
  });
  return withSafePaths(client);
}
