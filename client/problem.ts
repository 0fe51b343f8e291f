import type { ClientResponse } from "hono/client";
import type { Problem } from "./api.ts";

/** An error that the service answered with: problem details (RFC 9457). */
export class ProblemError extends Error {
  /** Names the error. A code is never renamed. */
  readonly code: Problem["code"];
  /** What to do about it. */
  readonly hint: string;
  /** The HTTP status. */
  readonly status: number;
  /** The whole body of the response. */
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
    this.code = problem.code;
    this.hint = problem.hint;
    this.status = problem.status;
    this.problem = problem;
  }
}

type Body<R> = R extends { ok: true; json(): Promise<infer Json> } ? Json : never;

/** Returns the error for a response without success: a `ProblemError`, or an `Error` if the service did not answer itself. */
export async function readError(response: ClientResponse<unknown>): Promise<Error> {
  if (response.headers.get("content-type")?.startsWith("application/problem+json")) {
    return new ProblemError((await response.json()) as Problem);
  }
  return new Error(`${response.url} answered ${response.status} ${response.statusText}.`);
}

/**
 * Waits for a response and returns its body.
 *
 * @param pending a call of the client
 * @throws ProblemError if the service answers with an error
 * @throws Error if a proxy in front of the service answers, so that there is neither code nor hint
 * @throws TypeError if the response is a stream
 */
export async function unwrap<R extends ClientResponse<unknown>>(pending: R | Promise<R>): Promise<Body<R>> {
  const response = await pending;
  if (!response.ok) throw await readError(response);
  if (response.headers.get("content-type")?.startsWith("application/json")) return (await response.json()) as Body<R>;
  throw new TypeError(`${response.url} answered with a stream. Read it with lines(), or learning() for a learning.`);
}
