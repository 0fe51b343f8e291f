import { addRow, normalize } from "./rows.as";
import { adapt } from "./tail.as";

/**
 * Writes the normalized sum of word, type and position embeddings of each token.
 *
 * @param ids numbers of words, int32; `types` the same of types
 * @param width numbers of a row, a multiple of 4
 * @param words steps of int8, `[words, width]`; a step is worth the word's scale
 * @param norm weight and bias of the LayerNorm
 */
export function embed(
  ids: usize,
  types: usize,
  tokens: usize,
  width: usize,
  words: usize,
  scales: usize,
  typeRows: usize,
  positions: usize,
  norm: usize,
  epsilon: f32,
  target: usize,
): void {
  const bytes = width << 2;
  for (let token: usize = 0; token < tokens; token++) {
    const id = <usize>load<u32>(ids + (token << 2));
    const type = <usize>load<u32>(types + (token << 2));
    const scale = f32x4.splat(load<f32>(scales + (id << 2)));
    const word = words + id * width;
    for (let at: usize = 0; at < width; at += 4) {
      const steps = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(word + at)));
      v128.store(target + (at << 2), f32x4.mul(f32x4.convert_i32x4_s(steps), scale));
    }
    addRow(typeRows + type * bytes, bytes, target);
    addRow(positions + token * bytes, bytes, target);
    normalize(target, bytes, norm, epsilon, target);
    target += bytes;
  }
}

/** Writes the LayerNorm of rows of `bytes` each to `target`, which may be the rows. */
export function normalizeRows(rows: usize, count: usize, bytes: usize, norm: usize, epsilon: f32, target: usize): void {
  for (let row: usize = 0; row < count; row++)
    normalize(rows + row * bytes, bytes, norm, epsilon, target + row * bytes);
}

/** Replaces residuals, `hidden` bytes each, by the output of their layer under an adapter: the parameters of `addTail`. */
export function adaptRows(
  rows: usize,
  count: usize,
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
  for (let row = rows; row < rows + count * hidden; row += hidden) {
    adapt(row, hidden, bottleneck, norm, epsilon, unit, unitEpsilon, down, up, scratch);
    memory.copy(row, scratch, hidden);
  }
}
