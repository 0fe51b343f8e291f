import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldsOf, isAhead, isTrusted } from "../../../src/learn/left-out.ts";
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
        const folds = foldsOf(drawn);
        expect(folds.length).toBeGreaterThan(0);
        const leftOut = folds.flatMap((fold) => fold.leftOut);
        expect(new Set(leftOut).size).toBe(leftOut.length);
        expect(leftOut.length).toBe(Math.min(24, drawn.length));
        for (const fold of folds) {
          expect(fold.learnt.length).toBeGreaterThan(0);
          expect(fold.leftOut.length).toBeGreaterThan(0);
          const learnt = new Set(fold.learnt);
          for (const group of drawn) {
            const learnsAll = group.every((number) => learnt.has(number));
            expect(learnsAll || !group.some((number) => learnt.has(number))).toBe(true);
            if (group.some((number) => fold.leftOut.includes(number))) expect(learnsAll).toBe(false);
          }
        }
      }),
    );
  });
});

describe("isAhead", () => {
  it("wants a lead of more than so many standard errors", () => {
    expect(isAhead([1, 1, 1], [1.5, 1.4, 1.6], 1)).toBe(true);
    expect(isAhead([1, 1, 1], [2, 0.5, 0.9], 1)).toBe(false);
    expect(isAhead([1, 1, 1], [1, 1, 1], 1)).toBe(false);
    expect(isAhead([1, 1], [2, 1.5], 2)).toBe(true);
    expect(isAhead([1, 1], [2, 1.5], 4)).toBe(false);
  });
});

describe("isTrusted", () => {
  const trials = (losses: number[]) => losses.map((loss) => ({ loss, right: true }));
  const isGain = (falls: number[], ...others: number[][]) => {
    const [way = [], ...ways] = [falls, ...others].map((own) => trials(own.map((fall) => 2 - fall)));
    return isTrusted(trials(falls.map(() => 2)), way, [way, ...ways], createRandom(0));
  };

  it("wants most texts to have gained, and six or more of them", () => {
    expect(isGain([0.5, 0.4, 0.6, 0.5, 0.3, 0.5])).toBe(true);
    expect(isGain([0.5, 0.4, 0.6, 0.5, 0.3])).toBe(false);
    expect(isGain([1, -0.5, 0.9, -0.4, 0.1, 0.2])).toBe(false);
    expect(isGain([0, 0, 0, 0, 0, 0, 0])).toBe(false);
    expect(isGain([1, 1, 1, 1, 1, 1, Number.NaN])).toBe(false);
    expect(isGain([-1, -1.1, -0.9, -1, -1, -1, -1])).toBe(false);
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
