import { add, at, multiply } from "./float32.ts";
import { mapRows, normalize } from "./rows.ts";

/** The embeddings of an encoder: words are steps of int8 with a scale each. */
export interface Embeddings {
  readonly words: Int8Array;
  readonly scales: Float32Array;
  readonly types: Float32Array;
  readonly positions: Float32Array;
  readonly norm: Float32Array;
}

/** Returns the normalized sum of each token's embeddings, as the kernel computes it. */
export function embed(ids: Int32Array, types: Int32Array, tables: Embeddings, epsilon: number): Float32Array {
  const width = tables.norm.length / 2;
  const sums = new Float32Array(ids.length * width).map((_, place) => {
    const [token, index] = [Math.floor(place / width), place % width];
    const word = multiply(at(tables.words, at(ids, token) * width + index), at(tables.scales, at(ids, token)));
    return add(add(word, at(tables.types, at(types, token) * width + index)), at(tables.positions, place));
  });
  return mapRows(sums, width, (row) => normalize(row, tables.norm, epsilon));
}
