import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createBudget } from "../../../src/lib/budget.ts";

const FORGET_MS = 1000;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("lets in what there is room for", () => {
  const room = createBudget({ most: 10, forgetAfterMs: FORGET_MS });
  const six = room.tryReserve(6);
  const [five, , one] = [room.tryReserve(5), room.tryReserve(4), room.tryReserve(1)];
  expect([five, one, room.inUse()]).toEqual([null, null, 10]);
  six?.release(2);
  expect(room.inUse()).toBe(8);
  six?.close();
  six?.close();
  expect(room.inUse()).toBe(4);
});

it("lets in more than half of it, and more than it has, where half is free", () => {
  const room = createBudget({ most: 10, forgetAfterMs: FORGET_MS });
  const six = room.reserve(6);
  expect(room.tryReserve(11)).toBeNull();
  six.release(1);
  expect([room.tryReserve(11) !== null, room.inUse(), room.tryReserve(0)]).toEqual([true, 16, null]);
});

it("counts what is taken in any case", () => {
  const room = createBudget({ most: 10, forgetAfterMs: FORGET_MS });
  room.reserve(11);
  expect([room.inUse(), room.tryReserve(1)]).toEqual([11, null]);
});

it("forgets a share of which nothing is given back for long, and no other", () => {
  const room = createBudget({ most: 10, forgetAfterMs: FORGET_MS });
  const lost = room.reserve(4);
  const alive = room.reserve(5);
  vi.advanceTimersByTime(FORGET_MS);
  expect(room.inUse()).toBe(9);
  alive.release(1);
  vi.advanceTimersByTime(1);
  expect(room.inUse()).toBe(4);
  lost.release(1);
  lost.close();
  expect(room.inUse()).toBe(4);
});
