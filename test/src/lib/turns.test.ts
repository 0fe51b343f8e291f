import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { createTurns } from "../../../src/lib/turns.ts";

const LONG = 60_000;

it("gives turns in the order of asking, a few at once", async () => {
  const turns = createTurns({ atOnce: 2, forgetAfterMs: LONG });
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3, 4].map(async (caller) => {
    ends[caller] = await turns.take();
    started.push(caller);
  });
  await sleep(1);
  expect(started).toEqual([0, 1]);
  ends[1]?.();
  // The end of a turn that has ended gives no second one.
  ends[1]?.();
  await sleep(1);
  expect(started).toEqual([0, 1, 2]);
  ends[0]?.();
  ends[2]?.();
  await Promise.all(all);
  expect(started).toEqual([0, 1, 2, 3, 4]);
});

it("forgets a turn that does not end", async () => {
  const turns = createTurns({ atOnce: 1, forgetAfterMs: 20 });
  const lost = await turns.take();
  const [next, later] = [turns.take(), turns.take()];
  const end = await next;
  lost();
  end();
  (await later)();
});
