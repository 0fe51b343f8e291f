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

/** What an answer that is none of the service's own fails with. */
export async function unexpectedAnswerMessage(response: ClientResponse<unknown>): Promise<Error> {
  if (response.headers.get("content-type")?.startsWith("application/problem+json")) {
    return new ProblemError((await response.json()) as Problem);
  }
  return new Error(`${response.url} answered ${response.status} ${response.statusText}.`);
}

/**
 * Waits for an answer and gives its body.
 *
 * @throws ProblemError if it is an error answer
 * @throws Error if it comes from something before the service, so that it has neither code nor hint
 * @throws TypeError if it is a stream
 */
export async function unwrap<R extends ClientResponse<unknown>>(asked: R | Promise<R>): Promise<Body<R>> {
  const response = await asked;
  if (!response.ok) throw await unexpectedAnswerMessage(response);
  if (response.headers.get("content-type")?.startsWith("application/json")) return (await response.json()) as Body<R>;
  throw new TypeError(`${response.url} answered with a stream: read it with lines(), or a learning with learning().`);
}
