// `node bench/operators/trace.ts TOKENS RUNS`: prints ONNX Runtime's trace of encoder runs, as its WebAssembly build writes it.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { env, InferenceSession } from "onnxruntime-web/wasm";
import { BUNDLE, ENCODER } from "../graphs.ts";
import { createFeeds } from "../worker/feeds.ts";

const [tokens, runs] = process.argv.slice(2).map(Number);
if (!tokens || !runs) throw new Error("Usage: node bench/operators/trace.ts TOKENS RUNS");

env.wasm.numThreads = 1;
const read = (path: string) => readFile(join(BUNDLE, path));
const session = await InferenceSession.create(await read(ENCODER.graph), {
  executionProviders: ["wasm"],
  graphOptimizationLevel: "disabled",
  enableProfiling: true,
  externalData: await Promise.all(ENCODER.weights.map(async (path) => ({ path, data: await read(path) }))),
});
const feeds = createFeeds(session, tokens);
for (let run = 0; run < runs; run++) await session.run(feeds);
session.endProfiling();
