/** Returns the inner product of vectors of the same length. */
export function dot(a: Float64Array, b: Float64Array): number {
  return dotAt(a, 0, b, 0, a.length);
}

/** Returns the inner product of `length` numbers of two vectors, from an index of each on. */
export function dotAt(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  // Four sums need not wait for each other's additions.
  let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < length; i += 4) {
    sum0 += (a[aStart + i] ?? Number.NaN) * (b[bStart + i] ?? Number.NaN);
    sum1 += (a[aStart + i + 1] ?? Number.NaN) * (b[bStart + i + 1] ?? Number.NaN);
    sum2 += (a[aStart + i + 2] ?? Number.NaN) * (b[bStart + i + 2] ?? Number.NaN);
    sum3 += (a[aStart + i + 3] ?? Number.NaN) * (b[bStart + i + 3] ?? Number.NaN);
  }
  for (; i < length; i++) sum0 += (a[aStart + i] ?? Number.NaN) * (b[bStart + i] ?? Number.NaN);
  return sum0 + sum1 + (sum2 + sum3);
}

/** Adds `factor` times `length` numbers of one vector to those of another, from an index of each on. */
export function addAt(
  to: Float64Array,
  toStart: number,
  from: Float64Array,
  fromStart: number,
  length: number,
  factor: number,
): void {
  for (let i = 0; i < length; i++)
    to[toStart + i] = (to[toStart + i] ?? Number.NaN) + factor * (from[fromStart + i] ?? Number.NaN);
}
