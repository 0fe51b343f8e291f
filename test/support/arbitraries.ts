import fc from "fast-check";
import type { MaskShape } from "../../src/profiles/masks.ts";
import type { HeadShape, ProfileHead } from "../../src/profiles/profile-head.ts";

/** Small mask shapes, with pools that fill their last byte and pools that do not. */
export const shapes: fc.Arbitrary<MaskShape> = fc
  .record({
    firstLayer: fc.integer({ min: 0, max: 3 }),
    layers: fc.integer({ min: 1, max: 4 }),
    size: fc.integer({ min: 1, max: 40 }),
  })
  .chain(({ firstLayer, layers, size }) =>
    fc.integer({ min: 1, max: size }).map((chosen) => ({ firstLayer, layers, size, chosen })),
  );

/** Adapters chosen by all masks of a shape, `[K, 2, k]` flat, ascending in each mask. */
export function choicesOf({ layers, size, chosen }: MaskShape): fc.Arbitrary<number[]> {
  const pool = Array.from({ length: size }, (_, adapter) => adapter);
  const mask = fc.subarray(pool, { minLength: chosen, maxLength: chosen });
  return fc.array(mask, { minLength: 2 * layers, maxLength: 2 * layers }).map((masks) => masks.flat());
}

/** What profiles change of small heads, as it is stored. */
export const profileHeads: fc.Arbitrary<{ shape: HeadShape; head: ProfileHead }> = fc
  .record({ labels: fc.integer({ min: 2, max: 20 }), hidden: fc.integer({ min: 1, max: 6 }) })
  .chain((shape) => fc.record({ shape: fc.constant(shape), head: profileHeadOf(shape) }));

function profileHeadOf({ labels, hidden }: HeadShape): fc.Arbitrary<ProfileHead> {
  const int8s = (length: number) => fc.int8Array({ minLength: length, maxLength: length });
  const scale = fc.float({ min: Math.fround(1e-6), max: Math.fround(1e3), noNaN: true });
  const all = Array.from({ length: labels }, (_, label) => label);
  return fc.record({
    bias: fc.oneof(
      fc.constant(new Float32Array(labels)),
      int8s(labels).map((steps) => Float32Array.from(steps, (step) => step / 16)),
    ),
    change: fc.array(fc.record({ scale, left: int8s(labels), right: int8s(hidden) }), { maxLength: 8 }),
    known: fc.option(fc.subarray(all, { minLength: 1 })),
  });
}
