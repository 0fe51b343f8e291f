// Functions of single numbers, four at a time. Sums have one order and no product is fused with a sum, so every machine
// gives the same bits.
import { VECTOR } from "./rows.as";

/** Below it, e^x is 0: the result would be subnormal. */
const LOWEST: f32 = -87;

/**
 * Returns e^x of numbers of at most 0: `2^n · e^r` with `|r| <= ln 2 / 2`, and e^r by the polynomial of Cephes' `expf`.
 * Minus infinity gives 0, NaN gives NaN.
 */
export function exp(x: v128): v128 {
  const clipped = f32x4.max(x, f32x4.splat(LOWEST));
  const n = f32x4.nearest(f32x4.mul(clipped, f32x4.splat(<f32>Math.LOG2E)));
  // ln 2 in two parts: the product with the first is exact.
  let r = f32x4.sub(clipped, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.1219444e-4)));
  let series = f32x4.splat(1.98756915e-4);
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1.3981999507e-3));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(8.3334519073e-3));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(4.1665795894e-2));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1.6666665459e-1));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(5.0000001201e-1));
  series = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(series, r), r), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return v128.andnot(f32x4.mul(series, power), f32x4.lt(x, f32x4.splat(LOWEST)));
}

/**
 * Replaces numbers by their GELU, as computed by tanh: `x · σ(2 · √(2/π) · (x + 0.044715 x³))`.
 *
 * @param bytes of the numbers, a multiple of 16
 */
export function gelu(numbers: usize, bytes: usize): void {
  for (let at = numbers; at < numbers + bytes; at += VECTOR) {
    const x = v128.load(at);
    const cubic = f32x4.mul(f32x4.splat(0.044715), f32x4.mul(x, f32x4.mul(x, x)));
    const z = f32x4.mul(f32x4.splat(1.5957691216), f32x4.add(x, cubic));
    // σ(z) is 1 / (1 + e^-|z|) above 0, and e^-|z| times that below: no power overflows.
    const power = exp(f32x4.neg(f32x4.abs(z)));
    const above = f32x4.ge(z, f32x4.splat(0));
    const upper = v128.bitselect(f32x4.splat(1), power, above);
    v128.store(at, f32x4.mul(x, f32x4.div(upper, f32x4.add(f32x4.splat(1), power))));
  }
}
