import { add, divide, evaluate, multiply, roundToEven, subtract } from "./float32.ts";

const LOG2E = Math.fround(Math.LOG2E);
/** ln 2 in two parts, the second negative. */
const [LN2_UPPER, LN2_LOWER] = [Math.fround(0.693359375), Math.fround(-2.1219444e-4)];
/** The polynomial of Cephes' `expf`, the highest power first. */
const SERIES = Float32Array.of(
  1.98756915e-4,
  1.3981999507e-3,
  8.3334519073e-3,
  4.1665795894e-2,
  1.6666665459e-1,
  5.0000001201e-1,
);

/** Returns e^x of a number of at most 0, as the kernels compute it. */
export function exp(x: number): number {
  if (x < -87) return 0;
  const n = roundToEven(multiply(x, LOG2E));
  const r = subtract(subtract(x, multiply(n, LN2_UPPER)), multiply(n, LN2_LOWER));
  const series = evaluate(SERIES, r);
  return multiply(add(add(multiply(multiply(series, r), r), r), 1), 2 ** n);
}

/** Returns the GELU of a number, as the kernels compute it: `x · σ(2 · √(2/π) · (x + 0.044715 x³))`. */
export function gelu(x: number): number {
  const cubic = multiply(Math.fround(0.044715), multiply(x, multiply(x, x)));
  const z = multiply(Math.fround(1.5957691216), add(x, cubic));
  const power = exp(-Math.abs(z));
  return multiply(x, divide(z >= 0 ? 1 : power, add(1, power)));
}
