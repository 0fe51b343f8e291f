import { add, at, divide, multiply, subtract, sumInLanes } from "./float32.ts";
import { exp } from "./functions.ts";

/** Keys that the kernel pads to a multiple of. */
const KEYS = 8;

/** Returns the context of attention, `[tokens, heads · size]`, of rows `[tokens, 3, heads, size]`, as the kernel computes it. */
export function attend(rows: Float32Array, heads: number, size: number, scale: number): Float32Array {
  const width = heads * size;
  const tokens = rows.length / (3 * width);
  const context = new Float32Array(tokens * width);
  const part = (token: number, kind: number, head: number) => {
    const start = (3 * token + kind) * width + head * size;
    return rows.subarray(start, start + size);
  };
  for (let head = 0; head < heads; head++) {
    const [keys, values] = [1, 2].map((kind) => Array.from({ length: tokens }, (_, token) => part(token, kind, head)));
    for (let token = 0; token < tokens; token++) {
      const query = part(token, 0, head);
      const shares = softmax(Float32Array.from(keys ?? [], (key) => multiply(dot(query, key), Math.fround(scale))));
      context.set(sum(values ?? [], shares, size), token * width + head * size);
    }
  }
  return context;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum = add(sum, multiply(at(a, index), at(b, index)));
  return sum;
}

/** Returns the shares of logits. The padding's logits of minus infinity count: they are NaN where all others are too. */
function softmax(logits: Float32Array): Float32Array {
  const padded = new Float32Array(KEYS * Math.ceil(logits.length / KEYS)).fill(-Infinity);
  padded.set(logits);
  const top = padded.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const powers = padded.map((logit) => exp(subtract(logit, top)));
  const inverse = divide(
    1,
    sumInLanes(powers.length, (index) => at(powers, index)),
  );
  return powers.subarray(0, logits.length).map((power) => multiply(power, inverse));
}

/** Returns the sum of values, each times its share. */
function sum(values: readonly Float32Array[], shares: Float32Array, size: number): Float32Array {
  const sums = new Float32Array(size);
  for (const [token, value] of values.entries()) {
    const share = at(shares, token);
    for (let index = 0; index < size; index++) sums[index] = at(sums, index) + multiply(share, at(value, index));
  }
  return sums;
}
