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

describe("makeFolds", () => {
  const groups = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 200 }).map((sizes) => {
    let next = 0;
    return sizes.map((size) => Array.from({ length: size }, () => next++));
  });

  it("never trains on a held-out text, and holds out each text once, at most 24", () => {
    fc.assert(
      fc.property(groups, (drawn) => {
        const folds = makeFolds(drawn);
        expect(folds.length).toBeGreaterThan(0);
        const heldOut = folds.flatMap((fold) => fold.heldOut);
        expect(new Set(heldOut).size).toBe(heldOut.length);
        expect(heldOut.length).toBe(Math.min(24, drawn.length));
        for (const fold of folds) {
          expect(fold.train.length).toBeGreaterThan(0);
          expect(fold.heldOut.length).toBeGreaterThan(0);
          const train = new Set(fold.train);
          for (const group of drawn) {
            const trainsOnAll = group.every((number) => train.has(number));
            expect(trainsOnAll || !group.some((number) => train.has(number))).toBe(true);
            if (group.some((number) => fold.heldOut.includes(number))) expect(trainsOnAll).toBe(false);
          }
        }
      }),
    );
  });
});

describe("a held-out result", () => {
  it("is right if the likeliest label, with the bias added, is the target's", () => {
    const text = { logits: [1, 0], target: Float32Array.of(0, 1) };
    expect(heldOutResult(text, [0, 0])).toEqual({ loss: expect.closeTo(Math.log(1 + Math.E)), right: false });
    expect(heldOutResult(text, [0, 2])).toEqual({ loss: expect.closeTo(Math.log(1 + 1 / Math.E)), right: true });
  });

  it("has the same weight as every other", () => {
    const trials = [
      { loss: 1, right: true },
      { loss: 2, right: false },
      { loss: 6, right: false },
    ];
    expect(heldOutScore(trials)).toEqual({ loss: 3, accuracy: 1 / 3 });
  });
});

describe("isBetter", () => {
  it("requires a mean difference of more than the given number of standard errors", () => {
    expect(isBetter([1, 1, 1], [1.5, 1.4, 1.6], 1)).toBe(true);
    expect(isBetter([1, 1, 1], [2, 0.5, 0.9], 1)).toBe(false);
    expect(isBetter([1, 1, 1], [1, 1, 1], 1)).toBe(false);
    expect(isBetter([1, 1], [2, 1.5], 2)).toBe(true);
    expect(isBetter([1, 1], [2, 1.5], 4)).toBe(false);
    // A difference of 1 with a standard error of 0.4, from the variance estimated on four texts.
    expect(isBetter([0, 0, 0, 0], [0.2, 0.6, 1.2, 2], 2.5)).toBe(true);
    expect(isBetter([0, 0, 0, 0], [0.2, 0.6, 1.2, 2], 2.6)).toBe(false);
  });
});

describe("isSignificant", () => {
  const trials = (losses: number[]) => losses.map((loss) => ({ loss, right: true }));
  const isGain = (falls: number[], ...others: number[][]) => {
    const [candidate = [], ...rest] = [falls, ...others].map((each) => trials(each.map((fall) => 2 - fall)));
    return isSignificant(trials(falls.map(() => 2)), candidate, [candidate, ...rest], createRandom(0));
  };

  it("requires a gain on most texts, and at least six texts", () => {
    expect(isGain([0.5, 0.4, 0.6, 0.5, 0.3, 0.5])).toBe(true);
    expect(isGain([0.5, 0.4, 0.6, 0.5, 0.3])).toBe(false);
    expect(isGain([1, -0.5, 0.9, -0.4, 0.1, 0.2])).toBe(false);
    expect(isGain([0, 0, 0, 0, 0, 0, 0])).toBe(false);
    expect(isGain([1, 1, 1, 1, 1, 1, Number.NaN])).toBe(false);
    expect(isGain([-1, -1.1, -0.9, -1, -1, -1, -1])).toBe(false);
  });

  it("enumerates all sign flips of up to eleven texts, and samples as many for more", () => {
    const even = (texts: number) => Array.from({ length: texts }, () => 1);
    expect(isGain(even(11))).toBe(true);
    expect(isGain(even(12))).toBe(true);
    // Flips with as large a sum: 7 of 64, 12 and 67 of 2,048, 92 and 378 of 8,192.
    expect(isGain([1, 1, 1, 1, 1, -1])).toBe(false);
    expect(isGain([...even(10), -1])).toBe(true);
    expect(isGain([...even(9), -1, -1])).toBe(false);
    expect(isGain([...even(11), -1, -1])).toBe(true);
    expect(isGain([...even(10), -1, -1, -1])).toBe(false);
  });

  it("rejects a gain that another candidate matches under the same sign flips", () => {
    const gains = [0.5, 0.4, 0.6, 0.5, 0.3, 0.5];
    const twice = gains.map((fall) => (fall === 0.6 ? -2 * fall : 2 * fall));
    expect(isGain(gains)).toBe(true);
    expect(isGain(gains, twice)).toBe(false);
  });

  it("rarely accepts a chance gain, however many candidates there are", () => {
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
