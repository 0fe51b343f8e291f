import { greatest, VECTOR } from "./rows.as";

/** The weights' offset is 2^6. */
const OFFSET_BITS: i32 = 6;
/** Rows at a time: their steps stay in the processor's first cache while the weights go by. */
const BLOCK: usize = 32;

/**
 * Quantizes rows to steps of int8, each row by its greatest number. Rows of zeros, and of
 * numbers so small that 1 / scale overflows, have steps of 0.
 *
 * @param width numbers of a row, a multiple of 8
 * @param factors what each number of a row is multiplied by first, `[width]`
 * @param steps `[count, width]`
 * @param scales what a step of each row is worth
 * @param sums 64 times the sum of each row's steps: what the offset of the weights adds to products
 */
export function quantize(
  rows: usize,
  count: usize,
  width: usize,
  factors: usize,
  steps: usize,
  scales: usize,
  sums: usize,
): void {
  for (let row: usize = 0; row < count; row++) {
    const scale = greatestSize(rows, width << 2, factors) / 127;
    // Without a finite inverse all steps are 0. If they saturated, the sum would not be that of the int8 steps.
    const inverse: f32 = 1 / scale;
    const inverses = f32x4.splat(inverse < Infinity ? inverse : 0);
    let sum = i32x4.splat(0);
    for (let at: usize = 0; at < width << 2; at += 2 * VECTOR) {
      const low = f32x4.nearest(f32x4.mul(f32x4.mul(v128.load(rows + at), v128.load(factors + at)), inverses));
      const high = f32x4.nearest(f32x4.mul(f32x4.mul(v128.load(rows + at, 16), v128.load(factors + at, 16)), inverses));
      const wide = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high));
      sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(wide));
      v128.store64_lane(steps, i8x16.narrow_i16x8_s(wide, wide), 0);
      steps += 8;
    }
    rows += width << 2;
    store<f32>(scales + (row << 2), scale);
    store<i32>(sums + (row << 2), wholeOf(sum) << OFFSET_BITS);
  }
}

function greatestSize(row: usize, bytes: usize, factors: usize): f32 {
  let most = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += VECTOR)
    most = f32x4.max(most, f32x4.abs(f32x4.mul(v128.load(row + at), v128.load(factors + at))));
  return greatest(most);
}

function wholeOf(four: v128): i32 {
  return (
    i32x4.extract_lane(four, 0) +
    i32x4.extract_lane(four, 1) +
    i32x4.extract_lane(four, 2) +
    i32x4.extract_lane(four, 3)
  );
}

/** Tells whether a dot product of four is one instruction here. On x64 without AVX-VNNI it is several, and sums of two saturate. */
export function isFused(): bool {
  // With a second operand of 8 bits, which the kernels never have, machines differ: 4 · 127 · 255 fits 32 bits alone.
  const sum = i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(127), i8x16.splat(-1), i32x4.splat(0));
  return i32x4.extract_lane(sum, 0) !== 2 * i16.MAX_VALUE;
}

/**
 * Writes the product of quantized rows `[count, width]` with 7-bit weights `[width, outputs]`, plus a bias.
 *
 * The sums of steps are exact, so every machine gives the same bits.
 *
 * @param width a multiple of 4
 * @param weights for each 8 outputs and each 4 inputs 32 bytes: the 4 inputs of each output. A weight is its steps plus 64
 * @param factors what a step of each output's weights is worth
 * @param outputs a multiple of 8
 * @param fused which instructions to take, for the same numbers: {@link isFused} says which are faster
 */
export function multiply(
  steps: usize,
  scales: usize,
  sums: usize,
  count: usize,
  width: usize,
  weights: usize,
  factors: usize,
  biases: usize,
  outputs: usize,
  target: usize,
  fused: bool,
): void {
  if (fused) multiplyBy<i32>(steps, scales, sums, count, width, weights, factors, biases, outputs, target);
  else multiplyBy<i16>(steps, scales, sums, count, width, weights, factors, biases, outputs, target);
}

/** Adds products of four to sums: at once (T is i32), or by way of sums of two (i16), with ones that the loops share. */
function addDot<T>(steps: v128, weights: v128, sum: v128, ones: v128): v128 {
  if (sizeof<T>() === 4) return i32x4.relaxed_dot_i8x16_i7x16_add_s(steps, weights, sum);
  return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(steps, weights), ones));
}

function multiplyBy<T>(
  steps: usize,
  scales: usize,
  sums: usize,
  count: usize,
  width: usize,
  weights: usize,
  factors: usize,
  biases: usize,
  outputs: usize,
  target: usize,
): void {
  // Neither compiler nor engine would keep a constant out of the loops.
  const ones = i16x8.splat(<i16>(count > 0));
  for (let first: usize = 0; first < count; first += BLOCK) {
    const last = min<usize>(count, first + BLOCK);
    for (let output: usize = 0; output < outputs; output += 8) {
      const panel = weights + output * width;
      const factor = factors + (output << 2);
      const bias = biases + (output << 2);
      let row = first;
      for (; row + 4 <= last; row += 4) {
        let a = steps + row * width;
        const end = a + width;
        let a0 = i32x4.splat(0);
        let a1 = i32x4.splat(0);
        let b0 = i32x4.splat(0);
        let b1 = i32x4.splat(0);
        let c0 = i32x4.splat(0);
        let c1 = i32x4.splat(0);
        let d0 = i32x4.splat(0);
        let d1 = i32x4.splat(0);
        let b = a + width;
        let c = b + width;
        let d = c + width;
        for (let place = panel; a < end; place += 2 * VECTOR) {
          const low = v128.load(place);
          const high = v128.load(place, 16);
          let four = v128.load32_splat(a);
          a0 = addDot<T>(four, low, a0, ones);
          a1 = addDot<T>(four, high, a1, ones);
          four = v128.load32_splat(b);
          b0 = addDot<T>(four, low, b0, ones);
          b1 = addDot<T>(four, high, b1, ones);
          four = v128.load32_splat(c);
          c0 = addDot<T>(four, low, c0, ones);
          c1 = addDot<T>(four, high, c1, ones);
          four = v128.load32_splat(d);
          d0 = addDot<T>(four, low, d0, ones);
          d1 = addDot<T>(four, high, d1, ones);
          a += 4;
          b += 4;
          c += 4;
          d += 4;
        }
        const to = target + ((row * outputs + output) << 2);
        const next = outputs << 2;
        writeEight(a0, a1, row, scales, sums, factor, bias, to);
        writeEight(b0, b1, row + 1, scales, sums, factor, bias, to + next);
        writeEight(c0, c1, row + 2, scales, sums, factor, bias, to + 2 * next);
        writeEight(d0, d1, row + 3, scales, sums, factor, bias, to + 3 * next);
      }
      for (; row < last; row++) {
        let low = i32x4.splat(0);
        let high = i32x4.splat(0);
        let place = panel;
        for (let at: usize = 0; at < width; at += 4) {
          const four = v128.load32_splat(steps + row * width + at);
          low = addDot<T>(four, v128.load(place), low, ones);
          high = addDot<T>(four, v128.load(place, 16), high, ones);
          place += 2 * VECTOR;
        }
        writeEight(low, high, row, scales, sums, factor, bias, target + ((row * outputs + output) << 2));
      }
    }
  }
}

/** Writes eight numbers of a product: the exact sums, less the weights' offset, times what their steps are worth. */
function writeEight(
  low: v128,
  high: v128,
  row: usize,
  scales: usize,
  sums: usize,
  factors: usize,
  biases: usize,
  target: usize,
): void {
  const offset = i32x4.splat(load<i32>(sums + (row << 2)));
  const scale = f32x4.splat(load<f32>(scales + (row << 2)));
  const lows = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(low, offset)), f32x4.mul(scale, v128.load(factors)));
  const highs = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(high, offset)), f32x4.mul(scale, v128.load(factors, 16)));
  v128.store(target, f32x4.add(lows, v128.load(biases)));
  v128.store(target, f32x4.add(highs, v128.load(biases, 16)), 16);
}
