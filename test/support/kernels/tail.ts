import { add, at, multiply } from "./float32.ts";
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

/** Returns the product of a row with a matrix. Each column is four sums, of every fourth number of the row. */
function project(row: Float32Array, matrix: Float32Array): Float32Array {
  const columns = matrix.length / row.length;
  return new Float32Array(columns).map((_, column) => {
    const sums = [0, 1, 2, 3].map((first) => {
      let sum = 0;
      for (let index = first; index < row.length; index += 4)
        sum = add(sum, multiply(at(row, index), at(matrix, index * columns + column)));
      return sum;
    });
    return add(add(at(sums, 0), at(sums, 1)), add(at(sums, 2), at(sums, 3)));
  });
}

/** Returns a residual plus the product of a row's positive numbers with a matrix. */
function raise(row: Float32Array, matrix: Float32Array, residual: Float32Array): Float32Array {
  return residual.map((start, column) => {
    let sum = start;
    for (const [index, value] of row.entries())
      sum = add(sum, multiply(Math.max(value, 0), at(matrix, index * residual.length + column)));
    return sum;
  });
}
