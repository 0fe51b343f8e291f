import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logitGradient, sampleMasks, topAdapters } from "../../../src/learn/straight-through.ts";

const sizes = fc
  .record({ size: fc.integer({ min: 1, max: 20 }), rows: fc.integer({ min: 1, max: 4 }) })
  .chain(({ size, rows }) =>
    fc.record({
      size: fc.constant(size),
      chosen: fc.integer({ min: 1, max: size }),
      logits: fc.float64Array({ minLength: size * rows, maxLength: size * rows, min: -5, max: 5, noNaN: true }),
    }),
  );

describe("topAdapters", () => {
  it("chooses the k adapters of each mask with the highest logits", () => {
    fc.assert(
      fc.property(sizes, ({ size, chosen, logits }) => {
        const adapters = topAdapters(logits, { size, chosen });
        for (let row = 0; row < logits.length / size; row++) {
          const top = [...adapters.subarray(row * chosen, (row + 1) * chosen)];
          expect(top).toEqual([...new Set(top)].sort((a, b) => a - b));
          const logitOf = (adapter: number) => logits[row * size + adapter] ?? Number.NaN;
          const least = Math.min(...top.map(logitOf));
          for (let adapter = 0; adapter < size; adapter++) {
            if (!top.includes(adapter)) expect(logitOf(adapter)).toBeLessThanOrEqual(least);
          }
        }
      }),
    );
  });

  it("breaks ties by the lower number", () => {
    expect([...topAdapters([1, 0, 1, 1], { size: 4, chosen: 2 })]).toEqual([0, 2]);
  });
});

describe("sampleMasks", () => {
  it("chooses by logits plus noise, and returns weights that sum to 1", () => {
    const logits = Float64Array.of(0, 1, 2, 0, 0, 0);
    const { adapters, weights } = sampleMasks(logits, { size: 3, chosen: 1 }, [9, 0, 0, 0, 9, 0], 0.5);
    expect([...adapters]).toEqual([0, 1]);
    expect(weights.subarray(0, 3).reduce((sum, weight) => sum + weight)).toBeCloseTo(1);
    expect([...sampleMasks(logits, { size: 3, chosen: 1 }, new Float64Array(6), 1).adapters]).toEqual([2, 0]);
  });
});

describe("sampleMasks of large logits", () => {
  it("returns finite weights", () => {
    const { weights } = sampleMasks(
      Float64Array.of(1000, 999, -1000),
      { size: 3, chosen: 1 },
      new Float64Array(3),
      0.5,
    );
    expect([...weights]).toEqual([
      expect.closeTo(1 / (1 + Math.exp(-2)), 12),
      expect.closeTo(1 / (1 + Math.exp(2)), 12),
      0,
    ]);
  });
});

describe("logitGradient", () => {
  it("is the gradient of a weighted sum of the softmax's weights", () => {
    fc.assert(
      fc.property(sizes, fc.double({ min: 0.2, max: 3, noNaN: true }), ({ size, chosen, logits }, tau) => {
        const noNoise = new Float64Array(logits.length);
        const weights = logits.map((_, i) => Math.sin(i));
        const value = (at: Float64Array) =>
          sampleMasks(at, { size, chosen }, noNoise, tau).weights.reduce(
            (sum, weight, i) => sum + weight * (weights[i] ?? 0),
            0,
          );
        const gradient = logitGradient(sampleMasks(logits, { size, chosen }, noNoise, tau).weights, weights, size, tau);
        const step = 1e-5;
        for (const [i, slope] of gradient.entries()) {
          const at = (by: number) => value(logits.map((logit, place) => logit + (place === i ? by : 0)));
          expect(slope).toBeCloseTo((at(step) - at(-step)) / (2 * step), 5);
        }
      }),
      { numRuns: 30 },
    );
  });
});
