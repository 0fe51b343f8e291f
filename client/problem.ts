import type { ClientResponse } from "hono/client";
import type { Problem } from "./api.ts";

/** What an error answer says. */
export class ProblemError extends Error {
  /** What went wrong, by a name that is never changed. */
  readonly code: Problem["code"];
  /** What can be done about it. */
  readonly hint: string;
  readonly status: number;
  /** The whole body. */
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

/**
 * Waits for an answer and gives its body.
 *
 * @throws ProblemError if it is an error answer
 * @throws Error if it comes from something before the service, so that it has neither code nor hint
 */
export async function unwrap<R extends ClientResponse<unknown>>(asked: R | Promise<R>): Promise<Body<R>> {
  const response = await asked;
  if (response.ok) return (await response.json()) as Body<R>;
  if (response.headers.get("content-type")?.startsWith("application/problem+json")) {
    throw new ProblemError((await response.json()) as Problem);
  }
  throw new Error(`${response.url} answered ${response.status} ${response.statusText}.`);
}
