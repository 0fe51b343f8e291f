import fc from "fast-check";
import { expect, it } from "vitest";
import { mergeAdapters } from "../../../../src/model/merge.ts";
import { createTaskPool } from "../../../../src/model/pool/task.ts";
import { maskShapeOf, packMasks } from "../../../../src/profiles/masks.ts";
import { choicesOf, shapes } from "../../../support/arbitraries.ts";
import { poolShapeOf, trainedPool } from "../../../support/pools.ts";
import { packAdapter } from "../../../support/rows.ts";

const cases = fc
  .record({ shape: shapes, hidden: fc.integer({ min: 1, max: 8 }), bottleneck: fc.integer({ min: 1, max: 6 }) })
  .chain(({ shape, hidden, bottleneck }) => {
    const matrices = 2 * shape.layers * shape.size;
    const steps = matrices * hidden * bottleneck;
    return fc.record({
      sizes: fc.constant({ ...shape, hidden, bottleneck }),
      choices: choicesOf(shape),
      scales: fc.float32Array({ minLength: matrices, maxLength: matrices, min: 0.125, max: 2, noNaN: true }),
      steps: fc.int8Array({ minLength: steps, maxLength: steps }),
    });
  });

it("merges to the task's adapter plus the mean of the chosen adapters, in float32", () => {
  fc.assert(
    fc.property(cases, fc.float({ min: 0, max: 2, noNaN: true }), ({ sizes, choices, scales, steps }, own) => {
      const { firstLayer, size, chosen, hidden, bottleneck } = sizes;
      const shape = poolShapeOf(sizes, sizes);
      const pool = createTaskPool(shape, { size, chosen, scales, steps });
      expect(maskShapeOf(pool)).toEqual(maskShapeOf(shape));
      const entries = hidden * bottleneck;
      const adapter = {
        scales: new Float32Array(2 * shape.layers).fill(own),
        steps: Int8Array.from({ length: 2 * shape.layers * entries }, (_, place) => (place * 37) % 256),
      };
      const merged = mergeAdapters(pool, packMasks(choices, maskShapeOf(pool)), adapter);
      for (let place = 0; place < 2 * shape.layers * entries; place++) {
        const [row, entry] = [Math.floor(place / entries), place % entries];
        const masked = row - 2 * firstLayer;
        const sum = choices.slice(Math.max(0, masked) * chosen, (masked + 1) * chosen).reduce((total, choice) => {
          const matrix = masked * size + choice;
          return total + (scales[matrix] ?? Number.NaN) * (steps[matrix * entries + entry] ?? Number.NaN);
        }, 0);
        const mean = masked < 0 ? 0 : Math.fround(sum / chosen);
        const expected = Math.fround(mean + Math.fround((adapter.steps[place] ?? Number.NaN) * own));
        expect((row % 2 === 0 ? merged.down : merged.up)[(row >> 1) * entries + entry]).toBe(expected);
      }
    }),
    { numRuns: 40 },
  );
});

it("merges and projects as a bundle's pool of the same matrices", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ sizes, choices, scales, steps }) => {
      const { size, chosen, layers, hidden, bottleneck } = sizes;
      const shape = poolShapeOf(sizes, sizes);
      const bundles = await trainedPool(shape, packAdapter(scales, steps));
      const own = createTaskPool(shape, { size, chosen, scales, steps });
      const masks = packMasks(choices, sizes);
      const [merged, expected] = [mergeAdapters(own, masks, null), mergeAdapters(bundles, masks, null)];
      for (const side of ["down", "up"] as const) {
        for (const [entry, value] of merged[side].entries()) {
          expect(Math.abs(value - (expected[side][entry] ?? Number.NaN))).toBeLessThan(1e-4);
        }
      }
      const gradient = Float32Array.from({ length: hidden * bottleneck }, (_, entry) => Math.sin(entry));
      for (let row = 0; row < 2 * layers; row++) {
        const [target, wanted] = [new Float64Array(size), new Float64Array(size)];
        own.projectMatrix(row, gradient, target);
        bundles.projectMatrix(row, gradient, wanted);
        expect(target).toEqual(wanted);
      }
    }),
    { numRuns: 20 },
  );
});
