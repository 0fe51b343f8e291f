import { exp } from "./functions.as";
import { greatest, total, VECTOR } from "./rows.as";

/** Rows that are multiplied at a time, and columns. */
const ROWS: usize = 4;
const COLUMNS: usize = 8;

/**
 * Writes the context of attention, `[tokens, heads · size]`, of queries, keys and values that stand side by side in rows,
 * `[tokens, 3, heads, size]`.
 *
 * @param size numbers of a head, a multiple of 8
 * @param scale of the products of queries and keys
 * @param keys room for `[padded / 8, size, 8]`, the keys of a head; padded: the tokens, up to a multiple of 8
 * @param values room for `[size / 8, tokens, 8]`, the values of a head
 * @param shares room for `[4, padded]`
 */
export function attend(
  rows: usize,
  tokens: usize,
  heads: usize,
  size: usize,
  scale: f32,
  keys: usize,
  values: usize,
  shares: usize,
  target: usize,
): void {
  const width = (heads * size) << 2;
  const padded = (tokens + COLUMNS - 1) & ~(COLUMNS - 1);
  const row = padded << 2;
  for (let head: usize = 0; head < heads; head++) {
    const queries = rows + ((head * size) << 2);
    const contexts = target + ((head * size) << 2);
    turnKeys(queries + width, tokens, padded, size, 3 * width, keys);
    splitValues(queries + 2 * width, tokens, size, 3 * width, values);
    for (let query: usize = 0; query < tokens; query += ROWS) {
      // Past the last query, it is computed again.
      const left = tokens - 1 - query;
      const second = min<usize>(1, left);
      const third = min<usize>(2, left);
      const fourth = min<usize>(3, left);
      const from = queries + query * 3 * width;
      multiplyFour(
        from,
        second * 3 * width,
        third * 3 * width,
        fourth * 3 * width,
        size,
        keys,
        padded,
        scale,
        shares,
        row,
        2 * row,
        3 * row,
      );
      for (let at = shares; at < shares + ROWS * row; at += row) softmax(at, tokens, padded);
      const to = contexts + query * width;
      multiplyFour(
        shares,
        row,
        2 * row,
        3 * row,
        tokens,
        values,
        size,
        1,
        to,
        second * width,
        third * width,
        fourth * width,
      );
    }
  }
}

/** Writes the keys of a head as `[padded / 8, size, 8]`, with zeros past the last key. What is read together lies together. */
function turnKeys(rows: usize, tokens: usize, padded: usize, size: usize, stride: usize, target: usize): void {
  memory.fill(target + (((padded - COLUMNS) * size) << 2), 0, (COLUMNS * size) << 2);
  for (let token: usize = 0; token < tokens; token++) {
    let place = target + (((token & ~(COLUMNS - 1)) * size + (token & (COLUMNS - 1))) << 2);
    for (let at = rows; at < rows + (size << 2); at += 4) {
      store<f32>(place, load<f32>(at));
      place += COLUMNS << 2;
    }
    rows += stride;
  }
}

/** Writes the values of a head as `[size / 8, tokens, 8]`. */
function splitValues(rows: usize, tokens: usize, size: usize, stride: usize, target: usize): void {
  for (let number: usize = 0; number < size << 2; number += 2 * VECTOR) {
    for (let row = rows + number; row < rows + tokens * stride; row += stride) {
      storeTwo(v128.load(row), v128.load(row, 16), target);
      target += 2 * VECTOR;
    }
  }
}

/**
 * Writes four rows of a product, times a scale. The rows, and those of the target, are some bytes apart from the first.
 *
 * @param length numbers of a row
 * @param columns the other factor, `[count / 8, length, 8]`
 */
function multiplyFour(
  a: usize,
  toB: usize,
  toC: usize,
  toD: usize,
  length: usize,
  columns: usize,
  count: usize,
  scale: f32,
  target: usize,
  toSecond: usize,
  toThird: usize,
  toFourth: usize,
): void {
  const scales = f32x4.splat(scale);
  const b = a + toB;
  const c = a + toC;
  const d = a + toD;
  for (let end = target + (count << 2); target < end; target += 2 * VECTOR) {
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let b0 = f32x4.splat(0);
    let b1 = f32x4.splat(0);
    let c0 = f32x4.splat(0);
    let c1 = f32x4.splat(0);
    let d0 = f32x4.splat(0);
    let d1 = f32x4.splat(0);
    for (let at: usize = 0; at < length << 2; at += 4) {
      const low = v128.load(columns);
      const high = v128.load(columns, 16);
      columns += 2 * VECTOR;
      let number = v128.load32_splat(a + at);
      a0 = f32x4.add(a0, f32x4.mul(number, low));
      a1 = f32x4.add(a1, f32x4.mul(number, high));
      number = v128.load32_splat(b + at);
      b0 = f32x4.add(b0, f32x4.mul(number, low));
      b1 = f32x4.add(b1, f32x4.mul(number, high));
      number = v128.load32_splat(c + at);
      c0 = f32x4.add(c0, f32x4.mul(number, low));
      c1 = f32x4.add(c1, f32x4.mul(number, high));
      number = v128.load32_splat(d + at);
      d0 = f32x4.add(d0, f32x4.mul(number, low));
      d1 = f32x4.add(d1, f32x4.mul(number, high));
    }
    storeTwo(f32x4.mul(a0, scales), f32x4.mul(a1, scales), target);
    storeTwo(f32x4.mul(b0, scales), f32x4.mul(b1, scales), target + toSecond);
    storeTwo(f32x4.mul(c0, scales), f32x4.mul(c1, scales), target + toThird);
    storeTwo(f32x4.mul(d0, scales), f32x4.mul(d1, scales), target + toFourth);
  }
}

/** Replaces the logits of the first `tokens` of `padded` places by their shares, whose sum is 1, and the rest by zeros. */
function softmax(row: usize, tokens: usize, padded: usize): void {
  const end = row + (padded << 2);
  for (let at = row + (tokens << 2); at < end; at += 4) store<f32>(at, -Infinity);
  let most = f32x4.splat(-Infinity);
  for (let at = row; at < end; at += VECTOR) most = f32x4.max(most, v128.load(at));
  const top = f32x4.splat(greatest(most));
  let sums = f32x4.splat(0);
  for (let at = row; at < end; at += VECTOR) {
    const power = exp(f32x4.sub(v128.load(at), top));
    sums = f32x4.add(sums, power);
    v128.store(at, power);
  }
  const inverse = f32x4.splat(1 / total(sums));
  for (let at = row; at < end; at += VECTOR) v128.store(at, f32x4.mul(v128.load(at), inverse));
}

function storeTwo(low: v128, high: v128, target: usize): void {
  v128.store(target, low);
  v128.store(target, high, 16);
}
