import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { type InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { readAsset } from "../../functions/assets.ts";
import type { Bindings } from "../../functions/env.ts";
import type { ReadFile } from "../../src/bundle/files.ts";
import { XpeftError } from "../../src/errors.ts";
import { openSession } from "../../src/runtime.ts";

/** What `measure` is called with. */
export interface Graph {
  /** The graph's file. */
  readonly graph: string;
  /** Files of its weights. */
  readonly weights: readonly string[];
}

async function readPresent(read: ReadFile, path: string): Promise<Uint8Array> {
  const data = await read(path);
  if (data) return data;
  throw new XpeftError(
    "bundle_file_missing",
    `The bench has no file "${path}".`,
    "bench/README.md says what makes it.",
  );
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

const CLS = 101;
const SEP = 102;
const FIRST_WORD = 1000;
const WORDS = 20_000;

/** A text of so many tokens, the two special ones included; the words are drawn from all over the vocabulary. */
export function tokenIds(tokens: number): Int32Array {
  const ids = Int32Array.from({ length: tokens }, (_, place) => FIRST_WORD + ((place * 7919) % WORDS));
  ids[0] = CLS;
  ids[tokens - 1] = SEP;
  return ids;
}

const ADAPTER_ENTRY = 0.02;

/**
 * What a session is fed with to read one text: zeros for token types, and for each adapter input that it has, numbers of
 * the size that a merged pool has.
 */
export function feedsOf(session: InferenceSession, tokens: number): InferenceSession.FeedsType {
  const feeds: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor) continue;
    if (input.name === "input_ids") feeds[input.name] = new Tensor("int32", tokenIds(tokens), [1, tokens]);
    else if (input.name === "token_type_ids")
      feeds[input.name] = new Tensor("int32", new Int32Array(tokens), [1, tokens]);
    else {
      const shape = input.shape.map(Number);
      const length = shape.reduce((product, size) => product * size, 1);
      const data = Float32Array.from({ length }, (_, place) =>
        (place * 7919) % 3 === 0 ? -ADAPTER_ENTRY : ADAPTER_ENTRY,
      );
      feeds[input.name] = new Tensor("float32", data, shape);
    }
  }
  return feeds;
}
