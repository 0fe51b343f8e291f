import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { createTurns } from "../../../src/lib/turns.ts";

const LONG = 60_000;
const { signal } = new AbortController();

it("gives turns in the order of asking, a few at once", async () => {
  const turns = createTurns({ atOnce: 2, forgetAfterMs: LONG });
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3, 4].map(async (caller) => {
    ends[caller] = await turns.take(signal);
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
  const lost = await turns.take(signal);
  const [next, later] = [turns.take(signal), turns.take(signal)];
  const end = await next;
  lost();
  end();
  (await later)();
});

it("gives no turn to a caller who has left", async () => {
  const turns = createTurns({ atOnce: 1, forgetAfterMs: LONG });
  const end = await turns.take(signal);
  const abort = new AbortController();
  const gone = turns.take(abort.signal);
  const next = turns.take(signal);
  abort.abort(new Error("gone"));
  await expect(gone).rejects.toThrow("gone");
  await expect(turns.take(abort.signal)).rejects.toThrow("gone");
  end();
  (await next)();
});
