import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createRoom } from "../../../src/lib/budget.ts";

const FORGET_MS = 1000;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("lets in what there is room for", () => {
  const room = createRoom({ most: 10, forgetAfterMs: FORGET_MS });
  const six = room.tryTake(6);
  const [five, , one] = [room.tryTake(5), room.tryTake(4), room.tryTake(1)];
  expect([five, one, room.taken()]).toEqual([null, null, 10]);
  six?.give(2);
  expect(room.taken()).toBe(8);
  six?.end();
  six?.end();
  expect(room.taken()).toBe(4);
});

it("lets in more than half of it, and more than it has, where half is free", () => {
  const room = createRoom({ most: 10, forgetAfterMs: FORGET_MS });
  const six = room.take(6);
  expect(room.tryTake(11)).toBeNull();
  six.give(1);
  expect([room.tryTake(11) !== null, room.taken(), room.tryTake(0)]).toEqual([true, 16, null]);
});

it("counts what is taken in any case", () => {
  const room = createRoom({ most: 10, forgetAfterMs: FORGET_MS });
  room.take(11);
  expect([room.taken(), room.tryTake(1)]).toEqual([11, null]);
});

it("forgets a share of which nothing is given back for long, and no other", () => {
  const room = createRoom({ most: 10, forgetAfterMs: FORGET_MS });
  const lost = room.take(4);
  const alive = room.take(5);
  vi.advanceTimersByTime(FORGET_MS);
  expect(room.taken()).toBe(9);
  alive.give(1);
  vi.advanceTimersByTime(1);
  expect(room.taken()).toBe(4);
  lost.give(1);
  lost.end();
  expect(room.taken()).toBe(4);
});
