import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import type { InferenceSession } from "onnxruntime-web/wasm";
import type { Bindings } from "../../functions/http/env.ts";
import { readAsset } from "../../functions/platform/assets.ts";
import type { ReadFile } from "../../src/bundle/files.ts";
import { XpeftError } from "../../src/errors.ts";
import { openSession } from "../../src/model/onnx-runtime.ts";

/** A graph that can be opened. */
export interface Graph {
  /** The graph's file. */
  readonly graph: string;
  /** Files of its weights. */
  readonly weights: readonly string[];
}

async function readPresent(read: ReadFile, path: string): Promise<Uint8Array> {
  const data = await read(path);
  if (data) return data;
  throw new XpeftError("bundle_file_missing", `The bench has no file "${path}": bench/README.md says what makes it.`);
}

/**
 * Opens a graph in the memory that the Worker's own encoder is in.
 *
 * @param read where its files are; the Worker's assets if nothing is said
 */
export async function openGraph(
  env: Bindings,
  { graph, weights }: Graph,
  read: ReadFile = readAsset(env.ASSETS),
): Promise<InferenceSession> {
  const data = await Promise.all(weights.map(async (path) => ({ path, data: await readPresent(read, path) })));
  return await openSession(wasm, await readPresent(read, graph), data);
}
