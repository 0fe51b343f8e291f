import fc from "fast-check";
import type { MaskShape } from "../../src/profiles/masks.ts";

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
