import type { Hono } from "hono";
import type { ApplyGlobalResponse } from "hono/client";
import type { BlankEnv, ExtractSchema } from "hono/types";

/**
 * The Worker's types, expanded. Types that a function declares or imports cannot be named outside of it. So the compiler
 * writes the routes into this file's declarations, and these need neither the Worker's types nor Cloudflare's.
 */
function expandedTypes() {
  type Worker = import("../app/app.ts").Api;
  type WorkerProblem = ReturnType<typeof import("../app/http/problem.ts").problemOf>;
  type WorkerEvents = import("../app/routes/learn-schemas.ts").LearnEvents;
  type WorkerFanOutLines = import("../app/routes/predict/fanout-schemas.ts").FanOutLines;
  type WorkerTaskEvents = import("../app/routes/learn-task-schemas.ts").LearnTaskEvents;

  type Plain<T> = T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

  /** Headers and queries are optional if every field of theirs is. */
  type OptionalKeys<I> = { [K in keyof I & ("header" | "query")]: Partial<I[K]> extends I[K] ? K : never };
  type Input<I> = Omit<I, keyof Optional<I>> & Optional<I>;
  type Optional<I> = Partial<Pick<I, OptionalKeys<I>[keyof OptionalKeys<I>]>>;

  /** Routes that answer in JSON Lines build their own response, so Hono does not know its type. */
  type Answer<E> = E extends { output: Response } ? { output: string; outputFormat: "text"; status: 200 } : E;
  type Endpoint<E> = E extends { input: infer I } ? Plain<{ input: Input<I> } & Omit<Answer<E>, "input">> : never;

  type Schema = ExtractSchema<Worker>;
  type Routes = { [P in keyof Schema]: { [M in keyof Schema[P]]: Endpoint<Schema[P][M]> } };
  return {} as {
    routes: Routes;
    problem: Plain<WorkerProblem>;
    events: Plain<WorkerEvents>;
    taskEvents: Plain<WorkerTaskEvents>;
    fanOutLines: Plain<WorkerFanOutLines>;
  };
}

type ExpandedTypes = ReturnType<typeof expandedTypes>;

/** The body of every error response: problem details (RFC 9457) with a hint and a code that is never renamed. */
export type Problem = ExpandedTypes["problem"];

/** The progress of learning a profile. */
export type LearnProgress = ExpandedTypes["events"]["progress"];

/** The result of learning a profile. It is written too, unless `notWritten` says why not. */
export type Learnt = ExpandedTypes["events"]["learnt"];

/** What a profile says of a text in a fan-out. */
export type FanOutMatch = ExpandedTypes["fanOutLines"]["match"];

/** What a fan-out has read so far. `labels` has how many profiles give each label, whatever the filter. */
export type FanOutCounts = ExpandedTypes["fanOutLines"]["counts"];

/** The progress of learning a task. */
export type LearnTaskProgress = ExpandedTypes["taskEvents"]["progress"];

/** The result of learning a task. It is written too, unless `generation` is null. */
export type LearntTask = ExpandedTypes["taskEvents"]["learnt"];

/** The statuses of error responses. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 501 | 503;

/** The API as Hono's client needs it: requests and responses of each route, problems included. */
export type Api = ApplyGlobalResponse<
  Hono<BlankEnv, ExpandedTypes["routes"]>,
  { [Status in ProblemStatus]: { json: Problem } }
>;
