import fc from "fast-check";
import { expect, it } from "vitest";
import { longestFirst } from "../../../src/text/truncate-pair.ts";

const length = fc.nat({ max: 600 });

it("fills the budget, and never lengthens a text", () => {
  fc.assert(
    fc.property(length, length, length, (first, second, budget) => {
      const [keepFirst, keepSecond] = longestFirst([first, second], budget);
      expect(keepFirst + keepSecond).toBe(Math.min(first + second, budget));
      expect(keepFirst).toBeLessThanOrEqual(first);
      expect(keepSecond).toBeLessThanOrEqual(second);
    }),
  );
});

it("truncates only the longer text if that is enough", () => {
  expect(longestFirst([3, 20], 10)).toEqual([3, 7]);
  expect(longestFirst([20, 3], 10)).toEqual([7, 3]);
});

it("gives the odd token to the longer text, to the second if both are equally long", () => {
  expect(longestFirst([9, 10], 5)).toEqual([2, 3]);
  expect(longestFirst([10, 9], 5)).toEqual([3, 2]);
  expect(longestFirst([9, 9], 5)).toEqual([2, 3]);
});

it("gives a single text the whole budget", () => {
  expect(longestFirst([9, 0], 5)).toEqual([5, 0]);
});
