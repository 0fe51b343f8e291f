import { expect, it } from "vitest";
import { meetsGoal } from "../../bench/bench.ts";
import { pairedRatio, quantilesOf, rounded } from "../../bench/statistics.ts";

it("takes the ratio within each round: a round that is slow for both changes nothing", () => {
  expect(pairedRatio([2, 20, 2], [1, 10, 1])).toEqual({ median: 2, p95: 2 });
  expect(() => pairedRatio([1], [1, 2])).toThrow(RangeError);
});

it("returns the median and the 95th percentile", () => {
  const numbers = Array.from({ length: 101 }, (_, index) => index);
  expect(quantilesOf(numbers)).toEqual({ median: 50, p95: 95 });
  expect(() => quantilesOf([])).toThrow(RangeError);
});

it("rounds to four significant digits", () => {
  expect([1234.56, 0.0123456, 1.5].map(rounded)).toEqual([1235, 0.01235, 1.5]);
});

it("compares figures with their goals", () => {
  expect(meetsGoal({ value: 1.1, unit: "x", goal: { most: 1.15 } })).toBe(true);
  expect(meetsGoal({ value: 1.2, unit: "x", goal: { most: 1.15 } })).toBe(false);
  expect(meetsGoal({ value: 0.9, unit: "x", goal: { least: 0.95 } })).toBe(false);
  expect(meetsGoal({ value: 0.9, unit: "x" })).toBeNull();
});
