import { add, addTimes, at } from "./float32.ts";
import { normalize } from "./rows.ts";

/** A layer's last LayerNorm, weight and bias, and its adapter: `[d, b]` and `[b, d]`. */
export interface LayerEnd {
  readonly norm: Float32Array;
  readonly epsilon: number;
  readonly unitEpsilon: number;
  readonly down: Float32Array;
  readonly up: Float32Array;
}

/** Returns the output of a layer at a token, `LN(r + relu(LN(LN(r) down)) up)` of its residual r, as the kernels compute it. */
export function adapt(residual: Float32Array, { norm, epsilon, unitEpsilon, down, up }: LayerEnd): Float32Array {
  const low = project(normalize(residual, norm, epsilon), down);
  const unit = Float32Array.from({ length: 2 * low.length }, (_, index) => (index < low.length ? 1 : 0));
  return normalize(raise(normalize(low, unit, unitEpsilon), up, residual), norm, epsilon);
}

/** Returns the product of a row with a matrix: the sum of four, of every fourth number of the row. */
export function project(row: Float32Array, matrix: Float32Array): Float32Array {
  const columns = matrix.length / row.length;
  const [a, b, c, d] = [0, 1, 2, 3].map(() => new Float32Array(columns)) as Four;
  const fourths = [a, b, c, d];
  for (const [index, value] of row.entries())
    addTimes(matrix.subarray(index * columns, (index + 1) * columns), value, fourths[index & 3] ?? a);
  return a.map((sum, column) => add(add(sum, at(b, column)), add(at(c, column), at(d, column))));
}

type Four = [Float32Array, Float32Array, Float32Array, Float32Array];

/** Returns a residual plus the product of a row's positive numbers with a matrix. */
export function raise(row: Float32Array, matrix: Float32Array, residual: Float32Array): Float32Array {
  const sums = residual.slice();
  for (const [index, value] of row.entries())
    addTimes(matrix.subarray(index * sums.length, (index + 1) * sums.length), Math.max(value, 0), sums);
  return sums;
}
