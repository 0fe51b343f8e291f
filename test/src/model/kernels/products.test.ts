import fc from "fast-check";
import { it } from "vitest";
import { runGuarded } from "../../../support/kernels/arena.ts";
import { createDrawn, draws, multiples, RUNS, tokenCounts } from "../../../support/kernels/draws.ts";
import { multiply, packWeights, quantize } from "../../../support/kernels/products.ts";
import { expectSameBits } from "../../../support/kernels/same-bits.ts";

function expectQuantized(rows: Float32Array, factors: Float32Array): void {
  const count = rows.length / factors.length;
  const [steps, scales, sums] = runGuarded(({ kernels, input, allocate, ...read }) => {
    const targets = [allocate(rows.length), allocate(4 * count), allocate(4 * count)] as const;
    kernels.quantize(input(rows), count, factors.length, input(factors), ...targets);
    return [
      read.steps(targets[0], rows.length),
      read.floats(targets[1], count),
      read.integers(targets[2], count),
    ] as const;
  });
  const expected = quantize(rows, factors);
  expectSameBits(scales, expected.scales);
  expectSameBits(steps, expected.steps);
  expectSameBits(sums, expected.sums);
}

/** A row whose scale has no finite inverse. */
const TOO_SMALL = { count: 1, width: 8, draw: { seed: 0, magnitude: 1e-19, special: [], rarity: Infinity } };

it("quantizes rows with the bits of the reference", () => {
  const cases = fc.record({ count: tokenCounts, width: multiples(8, 8), draw: draws });
  fc.assert(
    fc.property(cases, ({ count, width, draw }) => {
      const drawn = createDrawn(draw);
      expectQuantized(drawn.floats(count * width), drawn.floats(width));
    }),
    { ...RUNS, examples: [[TOO_SMALL]] },
  );
});

it("quantizes halves to even steps", () => {
  const halves = Float32Array.from({ length: 504 }, (_, index) => 127 - index / 2);
  expectQuantized(halves, new Float32Array(halves.length).fill(1));
});

it("multiplies with the bits of the reference, by either instructions", () => {
  const cases = fc.record({
    count: tokenCounts,
    width: multiples(4, 12),
    outputs: multiples(8, 5),
    // Steps and weights that all are the greatest give the greatest sums.
    areGreatest: fc.boolean(),
    draw: draws,
  });
  fc.assert(
    fc.property(cases, ({ count, width, outputs, areGreatest, draw }) => {
      const drawn = createDrawn(draw);
      const steps = Int8Array.from(drawn.integers(count * width, areGreatest ? 127 : -127, 127));
      const weights = drawn.integers(width * outputs, areGreatest ? 63 : -63, 63);
      const sums = Int32Array.from({ length: count }, (_, row) =>
        steps.subarray(row * width, (row + 1) * width).reduce((sum, step) => sum + 64 * step, 0),
      );
      const [scales, factors, biases] = [drawn.floats(count), drawn.floats(outputs), drawn.floats(outputs)];
      const packed = packWeights(weights, outputs);
      const results = runGuarded(({ kernels, input, allocate, floats }) => {
        const ofRows = [input(steps), input(scales), input(sums), count, width] as const;
        const ofWeights = [input(packed), input(factors), input(biases), outputs] as const;
        return [1, 0].map((fused) => {
          const target = allocate(4 * count * outputs);
          kernels.multiply(...ofRows, ...ofWeights, target, fused);
          return floats(target, count * outputs);
        });
      });
      const expected = multiply({ steps, scales, sums }, weights, factors, biases);
      for (const found of results) expectSameBits(found, expected);
    }),
    RUNS,
  );
});
