import fc from "fast-check";
import { it } from "vitest";
import { runGuarded } from "../../../support/kernels/arena.ts";
import { attend } from "../../../support/kernels/attention.ts";
import { createDrawn, draws, multiples, RUNS, tokenCounts } from "../../../support/kernels/draws.ts";
import { expectSameBits } from "../../../support/kernels/same-bits.ts";

function runAttend(rows: Float32Array, heads: number, size: number, scale: number): Float32Array {
  const width = heads * size;
  const tokens = rows.length / (3 * width);
  const padded = 8 * Math.ceil(tokens / 8);
  const [found] = runGuarded(({ kernels, input, allocate, floats }) => {
    const scratch = [allocate(4 * size * padded), allocate(4 * tokens * size), allocate(4 * 4 * padded)] as const;
    const target = allocate(4 * tokens * width);
    kernels.attend(input(rows), tokens, heads, size, scale, ...scratch, target);
    return [floats(target, tokens * width)] as const;
  });
  return found;
}

/** The longest text of the default bundle, in two of its heads. */
const LONGEST = {
  tokens: 512,
  heads: 2,
  size: 32,
  scale: 1 / Math.sqrt(32),
  draw: { seed: 0, magnitude: 1, special: [], rarity: Infinity },
};

it("attends with the bits of the reference", () => {
  const cases = fc.record({
    tokens: tokenCounts,
    heads: fc.integer({ min: 1, max: 3 }),
    size: multiples(8, 4),
    scale: fc.oneof(fc.constantFrom(0.125, 1 / Math.sqrt(32)), fc.float()),
    draw: draws,
  });
  fc.assert(
    fc.property(cases, ({ tokens, heads, size, scale, draw }) => {
      const rows = createDrawn(draw).floats(tokens * 3 * heads * size);
      expectSameBits(runAttend(rows, heads, size, scale), attend(rows, heads, size, scale));
    }),
    { ...RUNS, examples: [[LONGEST]] },
  );
});
