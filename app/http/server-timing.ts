import type { Context } from "hono";
import { setMetric } from "hono/timing";
import type { AnswerTimings } from "../../src/serving/predictor.ts";
import type { AppEnv } from "./env.ts";

/** The phases of a prediction, in the order in which they run. */
export const PHASES = ["masks", "tokenize", "merge", "encoder", "head"] as const satisfies (keyof AnswerTimings)[];

/** Adds the milliseconds of each step to the answer's Server-Timing header, and to the request's record. */
export function setServerTiming(c: Context<AppEnv>, timings: AnswerTimings): void {
  c.set("timings", timings);
  for (const step of PHASES) setMetric(c, step, timings[step]);
}
