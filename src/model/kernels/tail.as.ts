import { addRow, normalize, VECTOR } from "./rows.as";

/**
 * Adds the encoder's output at each token to `pooled`: `LN(r + relu(LN(LN(r) down)) up)` of the token's residual r.
 *
 * @param token the residuals of some tokens, `hidden` bytes each
 * @param hidden bytes of d numbers, a multiple of 16
 * @param bottleneck bytes of b numbers, a multiple of 16
 * @param norm weight and bias of the layer's last LayerNorm, `hidden` bytes each
 * @param unit b ones, then b zeros
 * @param scratch d numbers, then b numbers
 */
export function addTail(
  token: usize,
  tokensEnd: usize,
  hidden: usize,
  bottleneck: usize,
  norm: usize,
  epsilon: f32,
  unit: usize,
  unitEpsilon: f32,
  down: usize,
  up: usize,
  scratch: usize,
  pooled: usize,
): void {
  for (; token < tokensEnd; token += hidden) {
    adapt(token, hidden, bottleneck, norm, epsilon, unit, unitEpsilon, down, up, scratch);
    addRow(scratch, hidden, pooled);
  }
}

/** Writes the output of a layer at a token to `scratch`, with the parameters of {@link addTail}. */
export function adapt(
  token: usize,
  hidden: usize,
  bottleneck: usize,
  norm: usize,
  epsilon: f32,
  unit: usize,
  unitEpsilon: f32,
  down: usize,
  up: usize,
  scratch: usize,
): void {
  const low = scratch + hidden;
  normalize(token, hidden, norm, epsilon, scratch);
  project(scratch, low, down, bottleneck);
  normalize(low, bottleneck, unit, unitEpsilon, low);
  memory.copy(scratch, token, hidden);
  raise(low, bottleneck, up, scratch);
  normalize(scratch, hidden, norm, epsilon, scratch);
}

/** Writes the product of a row with a matrix, `[d, b]`, to `low`, which follows the row. */
export function project(row: usize, low: usize, matrix: usize, bottleneck: usize): void {
  for (let column: usize = 0; column < bottleneck; column += VECTOR) {
    // Four sums, of every fourth row, do not wait for each other.
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    let entry = matrix + column;
    for (let number = row; number < low; number += VECTOR) {
      a = f32x4.add(a, f32x4.mul(v128.load32_splat(number), v128.load(entry)));
      entry += bottleneck;
      b = f32x4.add(b, f32x4.mul(v128.load32_splat(number, 4), v128.load(entry)));
      entry += bottleneck;
      c = f32x4.add(c, f32x4.mul(v128.load32_splat(number, 8), v128.load(entry)));
      entry += bottleneck;
      d = f32x4.add(d, f32x4.mul(v128.load32_splat(number, 12), v128.load(entry)));
      entry += bottleneck;
    }
    v128.store(low + column, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  }
}

/** Adds the product of a row's positive numbers with a matrix, `[b, d]`, to `target`, which ends where the row begins. */
export function raise(row: usize, bytes: usize, matrix: usize, target: usize): void {
  let entry = matrix;
  for (let number = row; number < row + bytes; number += 4) {
    const factor = f32x4.max(v128.load32_splat(number), f32x4.splat(0));
    for (let place = target; place < row; place += VECTOR) {
      v128.store(place, f32x4.add(v128.load(place), f32x4.mul(factor, v128.load(entry))));
      entry += VECTOR;
    }
  }
}
