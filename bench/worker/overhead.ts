import type { Platform } from "../../app/platform/platform.ts";
import { serviceOf } from "../../app/service/service.ts";
import { workersPlatform } from "../../functions/platform/workers.ts";
import type { PredictRequest, RowSource } from "../../src/serving/predictor.ts";
import { newText } from "../texts.ts";
import { openEngine } from "./engines.ts";
import { type Isolate, predict } from "./isolate.ts";
import { type Sampling, sampleInRounds } from "./sampling.ts";

/** Parameters of {@link overhead}. */
export interface OverheadParams extends Sampling {
  readonly task: string;
  readonly profile: string;
  /** Tokens of each text, including the special ones. */
  readonly tokens: number;
}

const failing = { read: () => Promise.reject(new Error("The row is not cached.")) };

/** Finds cached rows only: a read from the database would disturb the measurement. */
const CACHED: RowSource = { stores: { nearest: failing, primary: failing }, freshness: "cached", tokenProfile: null };

/** Runs work while the platform counts no requests: another platform would load another engine. */
async function withoutLimits<Result>(
  platform: { limits: Platform["limits"] },
  run: () => Promise<Result>,
): Promise<Result> {
  const { limits } = platform;
  platform.limits = { requests: null, learning: null };
  try {
    return await run();
  } finally {
    platform.limits = limits;
  }
}

async function withoutLog<Result>(run: () => Promise<Result>): Promise<Result> {
  const { log } = console;
  console.log = () => {};
  try {
    return await run();
  } finally {
    console.log = log;
  }
}

/**
 * Measures a prediction of a new text under a cached profile: through the Worker's own handler, without the rate
 * limiter, also without the log line, and by the predictor alone. Measures a run of the kernels' trunk beside it. Returns
 * milliseconds.
 */
export async function overhead({ task, profile, tokens, ...sampling }: OverheadParams, isolate: Isolate) {
  const { env, context } = isolate;
  const body = () => JSON.stringify({ task, profile, inputs: newText(tokens) });
  const { predictions } = await (await predict(isolate, body())).json<{ predictions: { tokens: number }[] }>();
  if (predictions[0]?.tokens !== tokens)
    throw new Error(`The text has ${predictions[0]?.tokens} tokens. Expected ${tokens}.`);

  const platform = workersPlatform(env);
  const request = async () => (await predict(isolate, body())).arrayBuffer();
  const { predictor } = await serviceOf(platform, context);
  const input = (): PredictRequest => ({ task, inputs: [{ profile, text: newText(tokens) }] });
  const candidates = {
    worker: () => request(),
    unlimited: () => withoutLimits(platform, request),
    unlogged: () => withoutLog(() => withoutLimits(platform, request)),
    predictor: () => predictor.predict(input(), CACHED),
  };
  const { read } = await openEngine("kernels", env);
  return await sampleInRounds({ ...candidates, trunk: () => read(tokens) }, sampling);
}
