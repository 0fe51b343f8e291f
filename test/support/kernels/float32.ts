// Arithmetic of float32, for references of the kernels. Operands are float32 numbers. float64 has more than twice their
// digits, so that its result rounds to the bits that float32 arithmetic gives.

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

/** Returns the sum of terms in the order of 128-bit vectors: each fourth term into a lane, then the four lanes. */
export function sumInLanes(count: number, term: (index: number) => number): number {
  const lanes: [number, number, number, number] = [0, 0, 0, 0];
  for (let index = 0; index < count; index++) lanes[index & 3] = add(lanes[index & 3] ?? Number.NaN, term(index));
  return add(add(lanes[0], lanes[1]), add(lanes[2], lanes[3]));
}

export const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN;
