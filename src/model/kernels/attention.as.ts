import { exp } from "./functions.as";
import { greatest, total, VECTOR } from "./rows.as";

/** Queries and keys that are multiplied at a time. */
const QUERIES: usize = 4;
const KEYS: usize = 8;

/**
 * Writes the context of attention, `[tokens, heads · size]`, of queries, keys and values that stand side by side in rows,
 * `[tokens, 3, heads, size]`.
 *
 * @param size numbers of a head, a multiple of 8
 * @param scale of the products of queries and keys
 * @param turned room for `[padded / 8, size, 8]`, the keys of a head; padded: the tokens, up to a multiple of 8
 * @param values room for `[size / 8, tokens, 8]`, the values of a head
 * @param shares room for `[4, padded]`
 */
export function attend(
  rows: usize,
  tokens: usize,
  heads: usize,
  size: usize,
  scale: f32,
  turned: usize,
  values: usize,
  shares: usize,
  target: usize,
): void {
  const width = (heads * size) << 2;
  const padded = (tokens + KEYS - 1) & ~(KEYS - 1);
  const last = tokens - 1;
  for (let head: usize = 0; head < heads; head++) {
    const place = (head * size) << 2;
    turnKeys(rows + width + place, tokens, padded, size, 3 * width, turned);
    splitValues(rows + 2 * width + place, tokens, size, 3 * width, values);
    for (let query: usize = 0; query < tokens; query += QUERIES) {
      // Past the last query, it is computed again.
      const second = min<usize>(query + 1, last);
      const third = min<usize>(query + 2, last);
      const fourth = min<usize>(query + 3, last);
      const queries = rows + place;
      multiplyKeys(
        queries + query * 3 * width,
        queries + second * 3 * width,
        queries + third * 3 * width,
        queries + fourth * 3 * width,
        size,
        turned,
        padded,
        scale,
        shares,
      );
      for (let row = shares; row < shares + QUERIES * (padded << 2); row += padded << 2) softmax(row, tokens, padded);
      const contexts = target + place;
      sumValues(
        shares,
        padded << 2,
        values,
        tokens,
        size,
        contexts + query * width,
        contexts + second * width,
        contexts + third * width,
        contexts + fourth * width,
      );
    }
  }
}

/** Writes the keys of a head as `[padded / 8, size, 8]`, with zeros past the last key. What is read together lies together. */
function turnKeys(keys: usize, tokens: usize, padded: usize, size: usize, stride: usize, turned: usize): void {
  memory.fill(turned + (((padded - KEYS) * size) << 2), 0, (KEYS * size) << 2);
  for (let token: usize = 0; token < tokens; token++) {
    let place = turned + (((token & ~(KEYS - 1)) * size + (token & (KEYS - 1))) << 2);
    for (let at = keys; at < keys + (size << 2); at += 4) {
      store<f32>(place, load<f32>(at));
      place += KEYS << 2;
    }
    keys += stride;
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

/** Writes the products of four queries with all keys, times the scale, as `[4, padded]`. */
function multiplyKeys(
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  size: usize,
  turned: usize,
  padded: usize,
  scale: f32,
  target: usize,
): void {
  const stride = padded << 2;
  const scales = f32x4.splat(scale);
  let column = turned;
  for (let key: usize = 0; key < stride; key += 2 * VECTOR) {
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let b0 = f32x4.splat(0);
    let b1 = f32x4.splat(0);
    let c0 = f32x4.splat(0);
    let c1 = f32x4.splat(0);
    let d0 = f32x4.splat(0);
    let d1 = f32x4.splat(0);
    for (let at: usize = 0; at < size << 2; at += 4) {
      const low = v128.load(column);
      const high = v128.load(column, 16);
      column += 2 * VECTOR;
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
    storeTwo(f32x4.mul(a0, scales), f32x4.mul(a1, scales), target + key);
    storeTwo(f32x4.mul(b0, scales), f32x4.mul(b1, scales), target + stride + key);
    storeTwo(f32x4.mul(c0, scales), f32x4.mul(c1, scales), target + 2 * stride + key);
    storeTwo(f32x4.mul(d0, scales), f32x4.mul(d1, scales), target + 3 * stride + key);
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

/** Writes four sums of all values, each value times its share. */
function sumValues(
  shares: usize,
  stride: usize,
  values: usize,
  tokens: usize,
  size: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
): void {
  let value = values;
  for (let number: usize = 0; number < size << 2; number += 2 * VECTOR) {
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let b0 = f32x4.splat(0);
    let b1 = f32x4.splat(0);
    let c0 = f32x4.splat(0);
    let c1 = f32x4.splat(0);
    let d0 = f32x4.splat(0);
    let d1 = f32x4.splat(0);
    for (let share = shares; share < shares + (tokens << 2); share += 4) {
      const low = v128.load(value);
      const high = v128.load(value, 16);
      value += 2 * VECTOR;
      let part = v128.load32_splat(share);
      a0 = f32x4.add(a0, f32x4.mul(part, low));
      a1 = f32x4.add(a1, f32x4.mul(part, high));
      part = v128.load32_splat(share + stride);
      b0 = f32x4.add(b0, f32x4.mul(part, low));
      b1 = f32x4.add(b1, f32x4.mul(part, high));
      part = v128.load32_splat(share + 2 * stride);
      c0 = f32x4.add(c0, f32x4.mul(part, low));
      c1 = f32x4.add(c1, f32x4.mul(part, high));
      part = v128.load32_splat(share + 3 * stride);
      d0 = f32x4.add(d0, f32x4.mul(part, low));
      d1 = f32x4.add(d1, f32x4.mul(part, high));
    }
    storeTwo(a0, a1, a + number);
    storeTwo(b0, b1, b + number);
    storeTwo(c0, c1, c + number);
    storeTwo(d0, d1, d + number);
  }
}

function storeTwo(low: v128, high: v128, target: usize): void {
  v128.store(target, low);
  v128.store(target, high, 16);
}
