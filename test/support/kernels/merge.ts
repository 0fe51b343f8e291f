import { add, at, multiply } from "./float32.ts";

/** Returns entries plus `share` times the sum of sign matrices, as the kernel computes it. @param signs 1 or 0 of each entry */
export function addSigns(entries: Float32Array, signs: readonly Int32Array[], share: number): Float32Array {
  return entries.map((entry, index) => {
    const ones = signs.reduce((sum, matrix) => sum + at(matrix, index), 0);
    return add(entry, multiply(Math.fround(share), 2 * ones - signs.length));
  });
}

/** A matrix of int8, and the two halves of its share. */
export interface SteppedMatrix {
  readonly steps: Int8Array;
  readonly upper: number;
  readonly lower: number;
}

/** Returns entries plus the sum of matrices, each times its share, as the kernel computes it. */
export function addSteps(
  entries: Float32Array,
  matrices: readonly SteppedMatrix[],
  unitUpper: number,
  unitLower: number,
): Float32Array {
  return entries.map((entry, index) => {
    const sumOf = (half: "upper" | "lower") =>
      matrices.reduce((sum, matrix) => sum + at(matrix.steps, index) * matrix[half], 0);
    const [upper, lower] = [Math.fround(sumOf("upper")), Math.fround(sumOf("lower"))];
    const both = add(multiply(Math.fround(unitUpper), upper), multiply(Math.fround(unitLower), lower));
    return add(entry, both);
  });
}
