import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import type { InferenceSession } from "onnxruntime-web/wasm";
import { bundleAssets } from "../../functions/platform/assets.ts";
import type { Bindings } from "../../functions/platform/bindings.ts";
import type { ReadFile } from "../../src/bundle/files.ts";
import { createWebRuntime } from "../../src/model/web-runtime.ts";
import { createFeeds } from "./feeds.ts";

/** A graph among the Worker's assets. */
export interface Graph {
  /** Path of the graph. */
  readonly graph: string;
  /** Paths of its weights. */
  readonly weights: readonly string[];
}

async function readExisting(read: ReadFile, path: string): Promise<Uint8Array> {
  const data = await read(path);
  if (!data) throw new Error(`The bench has no file "${path}". bench/README.md says which command writes it.`);
  return data;
}

/**
 * Opens a graph in the WebAssembly memory of the Worker's own encoder.
 *
 * @param read reads the graph's files (default: from the Worker's assets)
 */
export async function openGraph(
  env: Bindings,
  { graph, weights }: Graph,
  read: ReadFile = bundleAssets(env.ASSETS).read,
): Promise<InferenceSession> {
  const data = await Promise.all(weights.map(async (path) => ({ path, data: await readExisting(read, path) })));
  return await createWebRuntime(wasm).open(await readExisting(read, graph), data);
}

/** Opens a graph, passes a function that runs it over one text to `use`, and closes the graph. */
export async function withRun<Result>(
  env: Bindings,
  graph: Graph,
  tokens: number,
  use: (run: () => Promise<unknown>) => Promise<Result>,
): Promise<Result> {
  const session = await openGraph(env, graph);
  const feeds = createFeeds(session, tokens);
  try {
    return await use(() => session.run(feeds));
  } finally {
    await session.release();
  }
}
