import type { Context } from "hono";
import { setMetric } from "hono/timing";
import type { AnswerTimings } from "../../src/serving/predictor.ts";
import type { AppEnv } from "./env.ts";

const STEPS = ["tokenize", "masks", "merge", "encoder", "head"] as const satisfies (keyof AnswerTimings)[];

/** Adds the milliseconds of each step to the answer's Server-Timing header, and to the request's record. */
export function setServerTiming(c: Context<AppEnv>, timings: AnswerTimings): void {
  c.set("timings", timings);
  for (const step of STEPS) setMetric(c, step, timings[step]);
}
