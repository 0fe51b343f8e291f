import { type InferenceSession, Tensor } from "onnxruntime-web/wasm";

const CLS = 101;
const SEP = 102;
const FIRST_WORD = 1000;
const WORDS = 20_000;

/** A text of so many tokens, the two special ones included; the words are drawn from all over the vocabulary. */
function tokenIds(tokens: number): Int32Array {
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
