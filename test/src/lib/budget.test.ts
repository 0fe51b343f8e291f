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

it("gives a caller a share of what the others leave, and always leaves something for another", () => {
  const budget = createBudget({ limit: 100, share: 3 / 4, forgetAfterMs: FORGET_MS });
  const first = budget.tryReserve(40, "first");
  expect([budget.tryReserve(36, "first"), budget.tryReserve(35, "first") !== null]).toEqual([null, true]);
  expect(budget.shareOf("first")).toEqual({ inUse: 75, limit: 75 });
  expect(budget.shareOf("second")).toEqual({ inUse: 0, limit: 18.75 });
  expect([budget.tryReserve(19, "second"), budget.tryReserve(18, "second") !== null]).toEqual([null, true]);
  expect([budget.tryReserve(6, "third"), budget.tryReserve(5, "third") !== null]).toEqual([null, true]);
  first?.close();
  expect(budget.shareOf("third")).toEqual({ inUse: 5, limit: 35.25 });
});

it("counts a request of more than half the budget as half of it", () => {
  const budget = createBudget({ limit: 100, share: 3 / 4, forgetAfterMs: FORGET_MS });
  const small = budget.tryReserve(26, "first");
  expect(budget.tryReserve(300, "first")).toBeNull();
  small?.release(1);
  expect(budget.tryReserve(300, "first")).not.toBeNull();
  expect([budget.shareOf("second").limit, budget.tryReserve(1, "second")]).toEqual([0, null]);
});

it("lets a reservation grow while it fits, and not after its end", () => {
  const budget = createBudget({ limit: 10, share: 1, forgetAfterMs: FORGET_MS });
  const growing = budget.reserve(2);
  const other = budget.tryReserve(5, "other");
  const rest = budget.tryReserve(1, "other");
  expect([growing.tryGrow(2), growing.tryGrow(1), budget.inUse()]).toEqual([true, false, 10]);
  rest?.close();
  // More than half of the budget counts as half, as if it had been reserved at once.
  expect([growing.tryGrow(20), budget.inUse()]).toEqual([true, 29]);
  other?.close();
  growing.close();
  expect([growing.tryGrow(1), budget.inUse()]).toEqual([false, 0]);
});

it("counts a forgotten reservation again when it grows", () => {
  const budget = createBudget({ limit: 10, forgetAfterMs: FORGET_MS });
  const paused = budget.reserve(4);
  vi.advanceTimersByTime(FORGET_MS + 1);
  const other = budget.tryReserve(10);
  expect(paused.tryGrow(1)).toBe(false);
  other?.close();
  expect([paused.tryGrow(1), budget.inUse()]).toEqual([true, 5]);
});
