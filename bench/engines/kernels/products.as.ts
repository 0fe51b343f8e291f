import { greatest, VECTOR } from "../../../src/model/kernels/rows.as";

/** The weights' offset is 2^6. */
const OFFSET_BITS: i32 = 6;
/** Rows at a time: their steps stay in the processor's first cache while the weights go by. */
const BLOCK: usize = 32;

/**
 * Quantizes rows to steps of int8, each row by its greatest number. A row of zeros has a scale of 0.
 *
 * @param width numbers of a row, a multiple of 8
 * @param steps `[count, width]`
 * @param scales what a step of each row is worth
 * @param sums 64 times the sum of each row's steps: what the offset of the weights adds to products
 */
export function quantize(rows: usize, count: usize, width: usize, steps: usize, scales: usize, sums: usize): void {
  for (let row: usize = 0; row < count; row++) {
    const scale = greatestSize(rows, width << 2) / 127;
    const inverse = f32x4.splat(scale > 0 ? 1 / scale : 0);
    let sum = i32x4.splat(0);
    for (let at: usize = 0; at < width; at += 8) {
      const low = f32x4.nearest(f32x4.mul(v128.load(rows), inverse));
      const high = f32x4.nearest(f32x4.mul(v128.load(rows, 16), inverse));
      const wide = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high));
      sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(wide));
      v128.store64_lane(steps, i8x16.narrow_i16x8_s(wide, wide), 0);
      rows += 2 * VECTOR;
      steps += 8;
    }
    store<f32>(scales + (row << 2), scale);
    store<i32>(sums + (row << 2), wholeOf(sum) << OFFSET_BITS);
  }
}

function greatestSize(row: usize, bytes: usize): f32 {
  let most = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += VECTOR) most = f32x4.max(most, f32x4.abs(v128.load(row + at)));
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

/**
 * Writes the product of quantized rows `[count, width]` with 7-bit weights `[width, outputs]`, plus a bias.
 *
 * The sums of steps are exact, so every machine gives the same bits.
 *
 * @param width a multiple of 4
 * @param weights for each 8 outputs and each 4 inputs 32 bytes: the 4 inputs of each output. A weight is its steps plus 64
 * @param factors what a step of each output's weights is worth
 * @param outputs a multiple of 8
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
): void {
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
          a0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(four, low, a0);
          a1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(four, high, a1);
          four = v128.load32_splat(b);
          b0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(four, low, b0);
          b1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(four, high, b1);
          four = v128.load32_splat(c);
          c0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(four, low, c0);
          c1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(four, high, c1);
          four = v128.load32_splat(d);
          d0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(four, low, d0);
          d1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(four, high, d1);
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
          low = i32x4.relaxed_dot_i8x16_i7x16_add_s(four, v128.load(place), low);
          high = i32x4.relaxed_dot_i8x16_i7x16_add_s(four, v128.load(place, 16), high);
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
