// Arithmetic of float32, for references of the kernels. Operands are float32 numbers. float64 has more than twice their
// digits, so that its result rounds to the bits that float32 arithmetic gives. Long loops are here: to call a function of
// another module takes a test longer than to add.

export const add = (a: number, b: number): number => Math.fround(a + b);
export const subtract = (a: number, b: number): number => Math.fround(a - b);
export const multiply = (a: number, b: number): number => Math.fround(a * b);
export const divide = (a: number, b: number): number => Math.fround(a / b);
export const squareRoot = (a: number): number => Math.fround(Math.sqrt(a));

/** Returns the nearest whole number, or the even one of two. Keeps the sign of a zero. */
export function roundToEven(value: number): number {
  const rounded = Math.round(value);
  const isTie = Math.abs(value % 1) === 0.5;
  return isTie && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Returns a sum in the order of 128-bit vectors: each fourth number into a lane, then the four lanes. */
export function sumInLanes(values: Float32Array): number {
  const lanes = new Float32Array(4);
  for (let index = 0; index < values.length; index++)
    lanes[index & 3] = (lanes[index & 3] ?? Number.NaN) + (values[index] ?? Number.NaN);
  const [a = Number.NaN, b = Number.NaN, c = Number.NaN, d = Number.NaN] = lanes;
  return add(add(a, b), add(c, d));
}

/** Returns the sum of products of two rows, the first first. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++)
    sum = add(sum, multiply(a[index] ?? Number.NaN, b[index] ?? Number.NaN));
  return sum;
}

/** Adds a row times a factor to sums. */
export function addTimes(row: Float32Array, factor: number, sums: Float32Array): void {
  for (let index = 0; index < row.length; index++)
    sums[index] = (sums[index] ?? Number.NaN) + multiply(factor, row[index] ?? Number.NaN);
}

/** Returns a polynomial's value. @param factors of its powers, the highest first */
export function evaluate(factors: Float32Array, x: number): number {
  let sum = factors[0] ?? Number.NaN;
  for (let power = 1; power < factors.length; power++) sum = add(multiply(sum, x), factors[power] ?? Number.NaN);
  return sum;
}

export const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN;
