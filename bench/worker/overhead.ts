import { isolateService } from "../../functions/platform/isolate.ts";
import type { PredictRequest, RowSource } from "../../src/serving/predictor.ts";
import { feedsOf } from "./feeds.ts";
import { askForPrediction, type Isolate } from "./isolate.ts";
import { type Graph, openGraph } from "./sessions.ts";
import { inTurns, type Patience } from "./turns.ts";

/** What the overhead is measured with. */
export interface OverheadParams extends Patience {
  readonly graph: Graph;
  readonly task: string;
  readonly profile: string;
  readonly text: string;
  /** Of the text, special ones included. */
  readonly tokens: number;
}

/** Where a kept row is enough: reading anything would not be what is to be measured. */
const KEPT: RowSource = {
  stores: {
    nearest: { read: () => Promise.reject(new Error("not kept")) },
    primary: { read: () => Promise.reject(new Error("not kept")) },
  },
  freshness: "cached",
  tokenProfile: null,
};

async function quietly<Result>(work: () => Promise<Result>): Promise<Result> {
  const { log } = console;
  console.log = () => {};
  try {
    return await work();
  } finally {
    console.log = log;
  }
}

/**
 * Milliseconds of a prediction of a kept profile through the Worker's own handler; of the same without the rate limiter, and
 * without the log's line too; of the predictor by itself; and of a bare run of the plain PLM.
 */
export async function overhead({ graph, task, profile, text, tokens, ...patience }: OverheadParams, isolate: Isolate) {
  const { env, context } = isolate;
  const session = await openGraph(env, graph);
  const feeds = feedsOf(session, tokens);
  const body = JSON.stringify({ task, profile, inputs: text });
  const { predictions } = await (await askForPrediction(isolate, body)).json<{ predictions: { tokens: number }[] }>();
  if (predictions[0]?.tokens !== tokens)
    throw new Error(`The text has ${predictions[0]?.tokens} tokens, not ${tokens}.`);

  const { RATE_LIMITER: _limiter, ...unlimited } = env;
  const ask = async (bindings: typeof env) =>
    (await askForPrediction({ ...isolate, env: bindings }, body)).arrayBuffer();
  const { predictor } = await isolateService(env, context);
  const request: PredictRequest = { task, inputs: [{ profile, text }] };
  return await inTurns(
    {
      worker: () => ask(env),
      unlimited: () => ask(unlimited),
      quiet: () => quietly(() => ask(unlimited)),
      predictor: () => predictor.predict(request, KEPT),
      plain: () => session.run(feeds),
    },
    patience,
  );
}
