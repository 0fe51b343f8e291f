import { hc } from "hono/client";
import type { Api } from "./api.ts";
import { withSafePaths } from "./paths.ts";

export type { Api, LearnProgress, Learnt, Problem, ProblemStatus } from "./api.ts";
export { learning } from "./learning.ts";
export { lines } from "./lines.ts";
export { ProblemError, unwrap } from "./problem.ts";

/** How a client asks. */
export interface ClientOptions {
  /** An API key, or a profile token; left out where predictions are public. */
  readonly key?: string;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What sends the requests; the global `fetch` if left out. */
  readonly fetch?: typeof fetch;
}

/** A client of one service: paths are properties, and methods are functions whose names start with `$`. */
export type Client = ReturnType<typeof hc<Api>>;

/**
 * Makes a client whose requests and answers are typed.
 *
 * @param url where the service is, such as `https://xpeft.example.workers.dev`
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
