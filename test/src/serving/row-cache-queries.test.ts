import { afterEach, describe, expect, it, vi } from "vitest";
import type { ProfileStore } from "../../../src/profiles/profile-store.ts";
import { createRowCache, type Freshness } from "../../../src/serving/row-cache.ts";
import { type Change, IDS, RowHistory, WRITE_ALL } from "../../support/row-history.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it("the row cache counts the rows that it answers and those that it reads", async () => {
  const history = new RowHistory(WRITE_ALL);
  const cache = createRowCache({ maxBytes: 2 ** 20, ttlSeconds: 60 });
  const store = history.store(0, (answer) => Promise.resolve(answer));
  const [a = "", b = ""] = IDS;
  for (const ids of [[a], [a], [a, b], []]) await cache.read({ nearest: store, primary: store }, "demo", ids, "cached");
  expect(cache.size()).toMatchObject({ hits: 5, misses: 3 });
  await cache.read({ nearest: store, primary: store }, "demo", [a], "primary");
  expect(cache.size()).toMatchObject({ hits: 5, misses: 5 });
});

describe("the row cache starts the TTL at the query", () => {
  const TTL_MS = 1000;

  /** Returns a cache over the first states, whose store answers only on `answer(number)`. */
  function manualStore() {
    let now = 1;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const history = new RowHistory(WRITE_ALL);
    const cache = createRowCache({ maxBytes: 2 ** 20, ttlSeconds: TTL_MS / 1000 });
    const pending: (() => void)[] = [];
    const wait = <T>(answer: T) => new Promise<T>((resolve) => void pending.push(() => resolve(answer)));
    const storeOf = (lag: number) => history.store(lag, wait);
    const read = (ids: string[], freshness: Freshness = "cached", lag = 0) =>
      cache.read({ nearest: storeOf(lag), primary: storeOf(0) }, "demo", ids, freshness);
    return {
      history,
      read,
      /** The number of queries. */
      queries: () => pending.length,
      advance(milliseconds: number) {
        now += milliseconds;
      },
      async answer(number: number) {
        pending[number]?.();
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
  }

  it("of a task", async () => {
    const { read, queries, advance, answer } = manualStore();
    const reading = read([]);
    advance(600);
    await answer(0);
    await reading;
    advance(400);
    await read([]);
    expect(queries()).toBe(1);
    advance(1);
    void read([]);
    expect(queries()).toBe(2);
  });

  it("of a profile whose task is newer in the cache", async () => {
    const { read, queries, advance, answer } = manualStore();
    const reading = read(["a"]);
    advance(600);
    await answer(0);
    await reading;
    const renewing = read([], "nearest");
    await answer(1);
    await renewing;
    advance(400);
    await read(["a"]);
    expect(queries()).toBe(2);
    advance(1);
    void read(["a"]);
    expect(queries()).toBe(3);
  });

  it("and ignores a late answer to an earlier query", async () => {
    const { history, read, queries, advance, answer } = manualStore();
    const late = read(["a"]);
    advance(TTL_MS);
    const later = read(["a"]);
    advance(1);
    await answer(1);
    await later;
    await answer(0);
    await late;
    await read(["a"]);
    expect(queries()).toBe(2);
    // The cache still detects a lagging replica.
    const lagging = read(["a"], "nearest", 1 + IDS.length);
    await answer(2);
    expect(queries()).toBe(4);
    await answer(3);
    expect((await lagging).task?.generation).toBe(history.last.task);
  });
});

describe("the row cache queries the primary store only if it may know more", () => {
  /** Returns a cache over a history whose replicas do not lag, and the number of queries of each store. */
  function countingCache(history: RowHistory, ttlSeconds = 3600) {
    const queries = { nearest: 0, primary: 0 };
    const counting = (name: "nearest" | "primary"): ProfileStore => {
      const store = history.store(0, (answer) => Promise.resolve(answer));
      return {
        read(...what) {
          queries[name]++;
          return store.read(...what);
        },
      };
    };
    const stores = { nearest: counting("nearest"), primary: counting("primary") };
    const cache = createRowCache({ maxBytes: 2 ** 20, ttlSeconds });
    const read = (ids: string[], freshness: Freshness = "cached") => cache.read(stores, "demo", ids, freshness);
    return { read, queries };
  }

  it.each([0, 3600])(
    "not for a task that never existed, however many requests there are; TTL %i s",
    async (ttlSeconds) => {
      const { read, queries } = countingCache(new RowHistory(), ttlSeconds);
      await Promise.all(Array.from({ length: 20 }, () => read(["a"])));
      expect(queries).toEqual({ nearest: 20, primary: 0 });
    },
  );

  it("not for a profile that never existed", async () => {
    const history = new RowHistory(WRITE_ALL);
    const { read, queries } = countingCache(history);
    for (let time = 0; time < 5; time++) await read(["a", "unknown"]);
    expect(queries).toEqual({ nearest: 5, primary: 0 });
  });

  it.each<[string, Change]>([
    ["task", { change: "noTask" }],
    ["profile", { change: "noProfile", id: "a" }],
  ])("once for a deleted %s", async (_, deletion) => {
    const history = new RowHistory(WRITE_ALL);
    const { read, queries } = countingCache(history);
    await read(["a"]);
    history.apply(deletion);
    for (let time = 0; time < 5; time++) await read(["a"], "nearest");
    expect(queries).toEqual({ nearest: 6, primary: 1 });
  });
});
