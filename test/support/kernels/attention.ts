import { addTimes, at, divide, dot, multiply, subtract, sumInLanes } from "./float32.ts";
import { exp } from "./functions.ts";

/** Keys that the kernel pads to a multiple of. */
const KEYS = 8;

/** Returns the context of attention, `[tokens, heads · size]`, of rows `[tokens, 3, heads, size]`, as the kernel computes it. */
export function attend(rows: Float32Array, heads: number, size: number, scale: number): Float32Array {
  const width = heads * size;
  const tokens = rows.length / (3 * width);
  const context = new Float32Array(tokens * width);
  for (let head = 0; head < heads; head++) {
    const partsOf = (kind: number) =>
      Array.from({ length: tokens }, (_, token) => {
        const start = (3 * token + kind) * width + head * size;
        return rows.subarray(start, start + size);
      });
    const [queries, keys, values] = [partsOf(0), partsOf(1), partsOf(2)];
    for (const [token, query] of queries.entries()) {
      const logits = keys.map((key) => multiply(dot(query, key), Math.fround(scale)));
      const shares = softmax(Float32Array.from(logits));
      const sums = context.subarray(token * width + head * size, token * width + (head + 1) * size);
      for (const [key, value] of values.entries()) addTimes(value, at(shares, key), sums);
    }
  }
  return context;
}

/** Returns the shares of logits. The padding's logits of minus infinity count: they are NaN where all others are too. */
function softmax(logits: Float32Array): Float32Array {
  const padded = new Float32Array(KEYS * Math.ceil(logits.length / KEYS)).fill(-Infinity);
  padded.set(logits);
  const top = padded.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const powers = padded.map((logit) => exp(subtract(logit, top)));
  const inverse = divide(1, sumInLanes(powers));
  return powers.subarray(0, logits.length).map((power) => multiply(power, inverse));
}
