import type { Hono } from "hono";
import type { ApplyGlobalResponse } from "hono/client";
import type { BlankEnv, ExtractSchema } from "hono/types";

/**
 * The Worker's types, written out. What is named or imported inside a function cannot be named outside it, so the
 * declarations made of this file hold the routes themselves, and need neither the Worker's types nor Cloudflare's.
 */
function writtenOut() {
  type Worker = import("../functions/app.ts").Api;
  type WorkerProblem = ReturnType<typeof import("../functions/http/problem.ts").problemOf>;
  type WorkerEvents = import("../functions/routes/learn.ts").LearnEvents;

  type Plain<T> = T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

  /** Headers and queries of which nothing is needed may be left out. */
  type Needless<I> = { [K in keyof I & ("header" | "query")]: Partial<I[K]> extends I[K] ? K : never };
  type Input<I> = Omit<I, keyof Optional<I>> & Optional<I>;
  type Optional<I> = Partial<Pick<I, Needless<I>[keyof Needless<I>]>>;

  /** Routes that answer in JSON Lines make their response themselves, which tells Hono nothing. */
  type Answer<E> = E extends { output: Response } ? { output: string; outputFormat: "text"; status: 200 } : E;
  type Endpoint<E> = E extends { input: infer I } ? Plain<{ input: Input<I> } & Omit<Answer<E>, "input">> : never;

  type Schema = ExtractSchema<Worker>;
  type Routes = { [P in keyof Schema]: { [M in keyof Schema[P]]: Endpoint<Schema[P][M]> } };
  return {} as { routes: Routes; problem: Plain<WorkerProblem>; events: Plain<WorkerEvents> };
}

type WrittenOut = ReturnType<typeof writtenOut>;

/** The body of every error answer: problem details (RFC 9457) with a code that is never renamed, and a hint. */
export type Problem = WrittenOut["problem"];

/** Where a learning is. */
export type LearnProgress = WrittenOut["events"]["progress"];

/** What was learnt, and written if that was asked for. */
export type Learnt = WrittenOut["events"]["learnt"];

/** The statuses of error answers. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 501 | 503;

/** The API as Hono's client takes it: what each route is asked and what it answers, problems included. */
export type Api = ApplyGlobalResponse<
  Hono<BlankEnv, WrittenOut["routes"]>,
  { [Status in ProblemStatus]: { json: Problem } }
>;
