import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createBudget } from "../../../src/lib/budget.ts";

const FORGET_MS = 1000;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("reserves what is free", () => {
  const budget = createBudget({ limit: 10, forgetAfterMs: FORGET_MS });
  const six = budget.tryReserve(6);
  const [five, , one] = [budget.tryReserve(5), budget.tryReserve(4), budget.tryReserve(1)];
  expect([five, one, budget.inUse()]).toEqual([null, null, 10]);
  six?.release(2);
  expect(budget.inUse()).toBe(8);
  six?.close();
  six?.close();
  expect(budget.inUse()).toBe(4);
});

it("accepts a large request, even one above the budget, while half is free", () => {
  const budget = createBudget({ limit: 10, forgetAfterMs: FORGET_MS });
  const six = budget.reserve(6);
  expect(budget.tryReserve(11)).toBeNull();
  six.release(1);
  expect([budget.tryReserve(11) !== null, budget.inUse(), budget.tryReserve(0)]).toEqual([true, 16, null]);
});

it("counts an unconditional reservation", () => {
  const budget = createBudget({ limit: 10, forgetAfterMs: FORGET_MS });
  budget.reserve(11);
  expect([budget.inUse(), budget.tryReserve(1)]).toEqual([11, null]);
});

it("drops only a reservation that releases nothing for a long time", () => {
  const budget = createBudget({ limit: 10, forgetAfterMs: FORGET_MS });
  const lost = budget.reserve(4);
  const alive = budget.reserve(5);
  vi.advanceTimersByTime(FORGET_MS);
  expect(budget.inUse()).toBe(9);
  alive.release(1);
  vi.advanceTimersByTime(1);
  expect(budget.inUse()).toBe(4);
  lost.release(1);
  lost.close();
  expect(budget.inUse()).toBe(4);
});
