import { expect, it } from "vitest";
import { holds } from "../../bench/bench.ts";
import { ratioOf, rounded, spreadOf } from "../../bench/statistics.ts";

it("takes the ratio within each turn, so that a slow turn of both changes nothing", () => {
  expect(ratioOf([2, 20, 2], [1, 10, 1])).toEqual({ median: 2, p95: 2 });
  expect(() => ratioOf([1], [1, 2])).toThrow(RangeError);
});

it("gives the middle and the upper end", () => {
  const numbers = Array.from({ length: 101 }, (_, place) => place);
  expect(spreadOf(numbers)).toEqual({ median: 50, p95: 95 });
  expect(() => spreadOf([])).toThrow(RangeError);
});

it("rounds to four digits that count", () => {
  expect([1234.56, 0.0123456, 1.5].map(rounded)).toEqual([1235, 0.01235, 1.5]);
});

it("holds figures against their goals", () => {
  expect(holds({ value: 1.1, unit: "x", goal: { most: 1.15 } })).toBe(true);
  expect(holds({ value: 1.2, unit: "x", goal: { most: 1.15 } })).toBe(false);
  expect(holds({ value: 0.9, unit: "x", goal: { least: 0.95 } })).toBe(false);
  expect(holds({ value: 0.9, unit: "x" })).toBeNull();
});
