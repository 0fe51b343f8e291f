// What several kernels do with a row of float32 numbers, 128 bits at a time.

/** Bytes of a v128. */
export const VECTOR: usize = 16;

/** Returns the sum of four numbers. */
export function total(four: v128): f32 {
  return (
    f32x4.extract_lane(four, 0) +
    f32x4.extract_lane(four, 1) +
    (f32x4.extract_lane(four, 2) + f32x4.extract_lane(four, 3))
  );
}

/** Returns the greatest of four numbers. */
export function greatest(four: v128): f32 {
  return max(
    max(f32x4.extract_lane(four, 0), f32x4.extract_lane(four, 1)),
    max(f32x4.extract_lane(four, 2), f32x4.extract_lane(four, 3)),
  );
}

/**
 * Writes the LayerNorm of a row to `target`, which may be the row.
 *
 * @param bytes of the row: four times its numbers, a multiple of 16
 * @param norm the weight, then the bias, `bytes` each
 */
export function normalize(row: usize, bytes: usize, norm: usize, epsilon: f32, target: usize): void {
  const count = <f32>(bytes >> 2);
  let sums = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += VECTOR) sums = f32x4.add(sums, v128.load(row + at));
  const means = f32x4.splat(total(sums) / count);
  sums = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += VECTOR) {
    const centred = f32x4.sub(v128.load(row + at), means);
    sums = f32x4.add(sums, f32x4.mul(centred, centred));
  }
  const factors = f32x4.splat(1 / sqrt<f32>(total(sums) / count + epsilon));
  for (let at: usize = 0; at < bytes; at += VECTOR) {
    const unit = f32x4.mul(factors, f32x4.sub(v128.load(row + at), means));
    v128.store(target + at, f32x4.add(v128.load(norm + bytes + at), f32x4.mul(v128.load(norm + at), unit)));
  }
}

/** Adds a row to another, `bytes` each. */
export function addRow(row: usize, bytes: usize, target: usize): void {
  for (let at: usize = 0; at < bytes; at += VECTOR)
    v128.store(target + at, f32x4.add(v128.load(target + at), v128.load(row + at)));
}
