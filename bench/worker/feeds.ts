import { type InferenceSession, Tensor } from "onnxruntime-web/wasm";

const CLS = 101;
const SEP = 102;
const FIRST_WORD = 1000;
const WORDS = 20_000;
/** The size of a merged pool's numbers. */
const ADAPTER_ENTRY = 0.02;
/** A prime, so that its multiples spread over the vocabulary. */
const STEP = 7919;

/** Returns the ids of a text with words from all over the vocabulary and the two special tokens. */
export function tokenIds(tokens: number): Int32Array {
  const ids = Int32Array.from({ length: tokens }, (_, index) => FIRST_WORD + ((index * STEP) % WORDS));
  ids[0] = CLS;
  ids[tokens - 1] = SEP;
  return ids;
}

/** Returns feeds for a run over one text: its ids, zero token types, and adapters of a realistic size if the graph has any. */
export function createFeeds(session: InferenceSession, tokens: number): InferenceSession.FeedsType {
  const feeds: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor) continue;
    if (input.name === "input_ids") feeds[input.name] = new Tensor("int32", tokenIds(tokens), [1, tokens]);
    else if (input.name === "token_type_ids")
      feeds[input.name] = new Tensor("int32", new Int32Array(tokens), [1, tokens]);
    else {
      const shape = input.shape.map(Number);
      const length = shape.reduce((product, size) => product * size, 1);
      const sign = (index: number) => ((index * STEP) % 3 === 0 ? -1 : 1);
      const data = Float32Array.from({ length }, (_, index) => sign(index) * ADAPTER_ENTRY);
      feeds[input.name] = new Tensor("float32", data, shape);
    }
  }
  return feeds;
}
