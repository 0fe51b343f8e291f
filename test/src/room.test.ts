import { expect, it } from "vitest";
import { createRoom } from "../../src/room.ts";

it("lets in what there is room for, and any amount where nothing is taken", () => {
  const room = createRoom(10);
  expect([room.tryTake(6), room.tryTake(5), room.tryTake(4), room.tryTake(1)]).toEqual([true, false, true, false]);
  expect(room.taken()).toBe(10);
  room.give(10);
  expect([room.tryTake(11), room.tryTake(0), room.taken()]).toEqual([true, false, 11]);
});

it("counts what is taken in any case", () => {
  const room = createRoom(10);
  room.take(11);
  expect([room.taken(), room.tryTake(1)]).toEqual([11, false]);
});
