import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { denseChange, packChange as packInRanks } from "../../../src/learn/head-change.ts";
import { type HeadShape, MAX_HEAD_CHANGE_RANK } from "../../../src/profiles/profile-head.ts";

const shapes = fc.record({ labels: fc.integer({ min: 2, max: 12 }), hidden: fc.integer({ min: 2, max: 24 }) });
const changes = shapes.chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    numbers: fc.array(fc.float({ min: -1, max: 1, noNaN: true }), {
      minLength: shape.labels * shape.hidden,
      maxLength: shape.labels * shape.hidden,
    }),
  }),
);

const packChange = (weight: Float64Array, shape: HeadShape) => packInRanks(weight, shape, async () => {});

const squares = (numbers: Float64Array) => numbers.reduce((sum, value) => sum + value * value, 0);

/** Returns a weight without what is the same for all labels. */
function centred(weight: Float64Array, labels: number, hidden: number): Float64Array {
  return weight.map((value, i) => {
    const column = Array.from({ length: labels }, (_, label) => weight[label * hidden + (i % hidden)] ?? Number.NaN);
    return value - column.reduce((sum, number) => sum + number) / labels;
  });
}

describe("packChange", () => {
  it("keeps a change of few ranks, but for what all labels share", async () => {
    await fc.assert(
      fc.asyncProperty(changes, async ({ shape, numbers }) => {
        const { labels, hidden } = shape;
        const wanted = centred(Float64Array.from(numbers), labels, hidden);
        const change = await packChange(Float64Array.from(numbers), shape);
        expect(change.length).toBeLessThanOrEqual(Math.min(MAX_HEAD_CHANGE_RANK, labels - 1));
        const stored = denseChange(change, shape);
        const rest = squares(wanted.map((value, i) => value - (stored[i] ?? Number.NaN)));
        // What is left is rounding, and ranks that explain next to nothing.
        if (Math.min(labels - 1, hidden) <= MAX_HEAD_CHANGE_RANK)
          expect(rest).toBeLessThanOrEqual(0.05 * squares(wanted));
        expect(rest).toBeLessThanOrEqual(squares(wanted));
      }),
    );
  });

  it("stores a change of one rank in one rank", async () => {
    const [left, right] = [Float64Array.of(1, -2, 1), Float64Array.of(0.5, 0.25, -1, 0)];
    const weight = Float64Array.from({ length: 12 }, (_, i) => (left[Math.floor(i / 4)] ?? 0) * (right[i % 4] ?? 0));
    const change = await packChange(weight, { labels: 3, hidden: 4 });
    expect(change).toHaveLength(1);
    const stored = denseChange(change, { labels: 3, hidden: 4 });
    for (const [i, value] of weight.entries()) expect(stored[i]).toBeCloseTo(value, 1);
  });

  it("lets other work run after each rank", async () => {
    let pauses = 0;
    const weight = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
    const change = await packInRanks(weight, { labels: 3, hidden: 3 }, async () => void pauses++);
    expect([change.length, pauses]).toEqual([2, 2]);
  });

  it("stores nothing for no change, or one that all labels share", async () => {
    expect(await packChange(new Float64Array(6), { labels: 2, hidden: 3 })).toEqual([]);
    expect(await packChange(Float64Array.of(1, 2, 3, 1, 2, 3), { labels: 2, hidden: 3 })).toEqual([]);
  });
});
