import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldsOf, isTrusted } from "../../../src/learn/left-out.ts";

describe("foldsOf", () => {
  it("never learns from what is left out, and leaves out each of few texts once and no more than enough of many", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), (count) => {
        const order = Array.from({ length: count }, (_, number) => number);
        const folds = foldsOf(order);
        expect(folds.length).toBeGreaterThan(0);
        const leftOut = folds.flatMap((fold) => fold.leftOut);
        expect(new Set(leftOut).size).toBe(leftOut.length);
        if (count <= 24) expect(leftOut.length).toBe(count);
        else expect(leftOut.length).toBeLessThanOrEqual(Math.max(24, Math.ceil(count / 3)));
        for (const fold of folds) {
          expect(fold.learnt.length).toBeGreaterThan(0);
          expect([...fold.learnt, ...fold.leftOut].sort((a, b) => a - b)).toEqual(order);
        }
      }),
    );
  });
});

describe("isTrusted", () => {
  const trials = (losses: number[]) => losses.map((loss) => ({ loss, right: true }));

  it("wants most texts to have gained", () => {
    expect(isTrusted(trials([1, 1, 1, 1]), trials([0.5, 0.4, 0.6, 0.5]))).toBe(true);
    expect(isTrusted(trials([1, 1, 1, 1]), trials([0, 1.5, 0.1, 1.4]))).toBe(false);
    expect(isTrusted(trials([1, 1, 1, 1]), trials([1, 1, 1, 1]))).toBe(false);
    expect(isTrusted(trials([1, 1, 1, 1]), trials([2, 2.1, 1.9, 2]))).toBe(false);
  });
});
