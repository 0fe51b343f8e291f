import { addAt, dotAt } from "../lib/vectors.ts";

/**
 * Returns the lower Cholesky factor of a symmetric matrix, `[size, size]`; what is above the diagonal is 0.
 *
 * @param matrix positive definite; only its lower half is read
 */
export function choleskyFactor(matrix: Float64Array, size: number): Float64Array {
  const factor = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      const rest =
        (matrix[row * size + column] ?? Number.NaN) - dotAt(factor, row * size, factor, column * size, column);
      factor[row * size + column] =
        row === column ? Math.sqrt(rest) : rest / (factor[column * size + column] ?? Number.NaN);
    }
  }
  return factor;
}

/** Replaces `size` numbers of a vector, from an index on, by the solution of `factor · factorᵀ · x = numbers`. */
export function solveInPlace(factor: Float64Array, numbers: Float64Array, start: number, size: number): void {
  for (let row = 0; row < size; row++) {
    const rest = (numbers[start + row] ?? Number.NaN) - dotAt(factor, row * size, numbers, start, row);
    numbers[start + row] = rest / (factor[row * size + row] ?? Number.NaN);
  }
  for (let row = size - 1; row >= 0; row--) {
    const value = (numbers[start + row] ?? Number.NaN) / (factor[row * size + row] ?? Number.NaN);
    numbers[start + row] = value;
    addAt(numbers, start, factor, row * size, row, -value);
  }
}
