import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  heldOutResult,
  heldOutScore,
  isBetter,
  isSignificant,
  makeFolds,
} from "../../../src/learn/cross-validation.ts";
import { createRandom } from "../../../src/learn/random.ts";

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

describe("foldsOf", () => {
  const groups = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 200 }).map((sizes) => {
    let next = 0;
    return sizes.map((size) => Array.from({ length: size }, () => next++));
  });

  it("never learns from a text that is left out, and leaves out each of few once and no more than enough of many", () => {
    fc.assert(
      fc.property(groups, (drawn) => {
        const folds = makeFolds(drawn);
        expect(folds.length).toBeGreaterThan(0);
        const leftOut = folds.flatMap((fold) => fold.heldOut);
        expect(new Set(leftOut).size).toBe(leftOut.length);
        expect(leftOut.length).toBe(Math.min(24, drawn.length));
        for (const fold of folds) {
          expect(fold.train.length).toBeGreaterThan(0);
          expect(fold.heldOut.length).toBeGreaterThan(0);
          const learnt = new Set(fold.train);
          for (const group of drawn) {
            const learnsAll = group.every((number) => learnt.has(number));
            expect(learnsAll || !group.some((number) => learnt.has(number))).toBe(true);
            if (group.some((number) => fold.heldOut.includes(number))) expect(learnsAll).toBe(false);
          }
        }
      }),
    );
  });
});

describe("a trial", () => {
  it("is right where the likeliest label is the target's, with the bias counted in", () => {
    const text = { logits: [1, 0], target: Float32Array.of(0, 1) };
    expect(heldOutResult(text, [0, 0])).toEqual({ loss: expect.closeTo(Math.log(1 + Math.E)), right: false });
    expect(heldOutResult(text, [0, 2])).toEqual({ loss: expect.closeTo(Math.log(1 + 1 / Math.E)), right: true });
  });

  it("counts for one of all", () => {
    const trials = [
      { loss: 1, right: true },
      { loss: 2, right: false },
      { loss: 6, right: false },
    ];
    expect(heldOutScore(trials)).toEqual({ loss: 3, accuracy: 1 / 3 });
  });
});

describe("isAhead", () => {
  it("wants a lead of more than so many standard errors", () => {
    expect(isBetter([1, 1, 1], [1.5, 1.4, 1.6], 1)).toBe(true);
    expect(isBetter([1, 1, 1], [2, 0.5, 0.9], 1)).toBe(false);
    expect(isBetter([1, 1, 1], [1, 1, 1], 1)).toBe(false);
    expect(isBetter([1, 1], [2, 1.5], 2)).toBe(true);
    expect(isBetter([1, 1], [2, 1.5], 4)).toBe(false);
    // A lead of 1 with a standard error of 0.4, by the variance that four texts let one expect.
    expect(isBetter([0, 0, 0, 0], [0.2, 0.6, 1.2, 2], 2.5)).toBe(true);
    expect(isBetter([0, 0, 0, 0], [0.2, 0.6, 1.2, 2], 2.6)).toBe(false);
  });
});

describe("isTrusted", () => {
  const trials = (losses: number[]) => losses.map((loss) => ({ loss, right: true }));
  const isGain = (falls: number[], ...others: number[][]) => {
    const [way = [], ...ways] = [falls, ...others].map((own) => trials(own.map((fall) => 2 - fall)));
    return isSignificant(trials(falls.map(() => 2)), way, [way, ...ways], createRandom(0));
  };

  it("wants most texts to have gained, and six or more of them", () => {
    expect(isGain([0.5, 0.4, 0.6, 0.5, 0.3, 0.5])).toBe(true);
    expect(isGain([0.5, 0.4, 0.6, 0.5, 0.3])).toBe(false);
    expect(isGain([1, -0.5, 0.9, -0.4, 0.1, 0.2])).toBe(false);
    expect(isGain([0, 0, 0, 0, 0, 0, 0])).toBe(false);
    expect(isGain([1, 1, 1, 1, 1, 1, Number.NaN])).toBe(false);
    expect(isGain([-1, -1.1, -0.9, -1, -1, -1, -1])).toBe(false);
  });

  it("goes by all signs that eleven texts' gains can have, and by as many drawn ones of more", () => {
    const even = (texts: number) => Array.from({ length: texts }, () => 1);
    expect(isGain(even(11))).toBe(true);
    expect(isGain(even(12))).toBe(true);
    // Sums that are as great: 7 of 64, 12 and 67 of 2,048, 92 and 378 of 8,192.
    expect(isGain([1, 1, 1, 1, 1, -1])).toBe(false);
    expect(isGain([...even(10), -1])).toBe(true);
    expect(isGain([...even(9), -1, -1])).toBe(false);
    expect(isGain([...even(11), -1, -1])).toBe(true);
    expect(isGain([...even(10), -1, -1, -1])).toBe(false);
  });

  it("takes a gain for chance that another way had as well by the same signs", () => {
    const some = [0.5, 0.4, 0.6, 0.5, 0.3, 0.5];
    const twice = some.map((fall) => (fall === 0.6 ? -2 * fall : 2 * fall));
    expect(isGain(some)).toBe(true);
    expect(isGain(some, twice)).toBe(false);
  });

  it("trusts chance seldom, however many ways there were to choose among", () => {
    const random = createRandom(1);
    const drawn = () => Array.from({ length: 20 }, () => random.normal());
    const best = () => [drawn(), drawn(), drawn()].sort((a, b) => sumOf(b) - sumOf(a));
    const trusted = Array.from({ length: 200 }, () => {
      const [first = [], ...others] = best();
      return isGain(first, ...others);
    }).filter(Boolean);
    expect(trusted.length).toBeLessThan(14);
    const gains = Array.from({ length: 20 }, () => isGain(drawn().map((fall) => fall + 1))).filter(Boolean);
    expect(gains.length).toBeGreaterThan(16);
  });
});
