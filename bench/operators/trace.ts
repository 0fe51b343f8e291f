// `node bench/operators/trace.ts TOKENS RUNS`: ONNX Runtime's own trace of encoder runs, which its WebAssembly build prints.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { env, InferenceSession } from "onnxruntime-web/wasm";
import { BUNDLE, ENCODER } from "../graphs.ts";
import { feedsOf } from "../worker/feeds.ts";

const [tokens, runs] = process.argv.slice(2).map(Number);
if (!tokens || !runs) throw new Error("Say how many tokens and how many runs.");

env.wasm.numThreads = 1;
const session = await InferenceSession.create(await readFile(join(BUNDLE, ENCODER.graph)), {
  executionProviders: ["wasm"],
  graphOptimizationLevel: "disabled",
  enableProfiling: true,
  externalData: await Promise.all(
    ENCODER.weights.map(async (path) => ({ path, data: await readFile(join(BUNDLE, path)) })),
  ),
});
const feeds = feedsOf(session, tokens);
for (let run = 0; run < runs; run++) await session.run(feeds);
session.endProfiling();
