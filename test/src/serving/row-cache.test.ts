import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { StoredProfile } from "../../../src/profiles/profile.ts";
import { createRowCache, type Freshness, type Rows } from "../../../src/serving/row-cache.ts";
import type { ProfileStore, TaskAndProfiles } from "../../../src/storage/profile-store.ts";
import { masksOf, taskOf } from "../../support/rows.ts";

// Local D1 has no replicas, so here a database is the list of its past states: the primary store reads the last one,
// the nearest store any.

const IDS = ["a", "b", "c"];
const TASK = taskOf();
const MASKS = masksOf(1);

/** Generations at one moment; null or absent if there is no row. */
interface State {
  readonly task: number | null;
  readonly profiles: ReadonlyMap<string, number>;
}

type Change =
  | { readonly change: "task" }
  | { readonly change: "noTask" }
  | { readonly change: "profile"; readonly id: string }
  | { readonly change: "noProfile"; readonly id: string };

/** A database's states, and stores that read them. No generation is used twice. */
class History {
  readonly states: State[] = [{ task: null, profiles: new Map() }];
  #newest = 0;

  get last(): State {
    return this.states.at(-1) as State;
  }

  apply(what: Change): void {
    const { task, profiles } = this.last;
    const generation = ++this.#newest;
    const next = new Map(profiles);
    if (what.change === "noTask") {
      this.states.push({ task: null, profiles: new Map() });
    } else if (what.change === "task") {
      this.states.push({ task: generation, profiles: new Map([...profiles].map(([id]) => [id, generation])) });
    } else if (task !== null) {
      if (what.change === "profile") next.set(what.id, generation);
      else next.delete(what.id);
      this.states.push({ task, profiles: next });
    }
  }

  /** Returns a store that lags: each read sees the state of `lag` changes ago. */
  store(lag: number, deliver: <T>(answer: T) => Promise<T>): ProfileStore {
    return {
      read: (name, ids, known) => {
        const { task, profiles } = this.states[Math.max(0, this.states.length - 1 - lag)] as State;
        const answer: TaskAndProfiles = {
          generation: task,
          task: task === null || task === known ? null : { ...TASK, generation: task },
          profiles: new Map(
            ids.flatMap((id): [string, StoredProfile][] => {
              const generation = profiles.get(id);
              const row = { task: name, id, masks: MASKS, labelBias: null, updatedAt: new Date(0) };
              return generation === undefined ? [] : [[id, { ...row, generation }]];
            }),
          ),
        };
        return deliver(answer);
      },
    };
  }
}

const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ change: fc.constant("task" as const) }),
  fc.record({ change: fc.constant("noTask" as const) }),
  { arbitrary: fc.record({ change: fc.constant("profile" as const), id: fc.constantFrom(...IDS) }), weight: 4 },
  fc.record({ change: fc.constant("noProfile" as const), id: fc.constantFrom(...IDS) }),
);

const reads = fc.record({
  ids: fc.uniqueArray(fc.constantFrom(...IDS)),
  freshness: fc.constantFrom<Freshness>("cached", "nearest", "primary"),
  lag: fc.nat(6),
});

const first: Change[] = [{ change: "task" }, ...IDS.map((id): Change => ({ change: "profile", id }))];

/** Whether a task and each of its profiles, at these generations, ever existed together. */
function coexisted(states: readonly State[], { task, profiles }: Rows): boolean {
  if (!task) return profiles.size === 0;
  return [...profiles].every(([id, { generation }]) =>
    states.some((state) => state.task === task.generation && state.profiles.get(id) === generation),
  );
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the row cache under any reads and writes", () => {
  it("never returns an older row than before, with lagging replicas and reordered answers", async () => {
    const steps = fc.array(fc.oneof(changes, reads), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(steps, fc.scheduler(), async (what, scheduler) => {
        const history = new History();
        for (const change of first) history.apply(change);
        const cache = createRowCache({ maxBytes: 2 ** 20, ttlSeconds: 3600 });
        const deliver = <T>(answer: T) => scheduler.schedule(Promise.resolve(answer));

        // The earliest state that the last returned row can come from; unset once a row was returned as absent.
        const floors = new Map<string, number>();
        const timesAbsent = new Map<string, number>();
        const generationOf = (state: State, key: string) =>
          key === "" ? state.task : (state.profiles.get(key) ?? null);

        const read = async ({ ids, freshness, lag }: { ids: string[]; freshness: Freshness; lag: number }) => {
          const before = new Map(floors);
          const absentBefore = new Map(timesAbsent);
          const newest = history.states.length - 1;
          const stores = { nearest: history.store(lag, deliver), primary: history.store(0, deliver) };
          const rows = await cache.read(stores, "demo", ids, freshness);

          expect(coexisted(history.states, rows)).toBe(true);
          for (const key of ["", ...ids]) {
            const returned = (key === "" ? rows.task?.generation : rows.profiles.get(key)?.generation) ?? null;
            const lowest = Math.min(before.get(key) ?? 0, floors.get(key) ?? 0);
            const floor = freshness === "primary" ? Math.max(lowest, newest) : lowest;
            const since = history.states.findIndex(
              (state, index) => index >= floor && generationOf(state, key) === returned,
            );
            expect(since, `${key || "task"} at ${returned}, which ended before state ${floor}`).toBeGreaterThanOrEqual(
              0,
            );
            // If another read has reported the row absent meanwhile, the cache has dropped it.
            if (returned !== null && timesAbsent.get(key) === absentBefore.get(key))
              floors.set(key, Math.max(since, floors.get(key) ?? 0));
          }
          const absent = rows.task ? ids.filter((id) => !rows.profiles.has(id)) : ["", ...IDS];
          for (const key of absent) {
            floors.delete(key);
            timesAbsent.set(key, (timesAbsent.get(key) ?? 0) + 1);
          }
        };

        const reading: Promise<void>[] = [];
        for (const step of what) {
          if ("change" in step) history.apply(step);
          else reading.push(read(step));
          if (scheduler.count() > 2) await scheduler.waitOne();
        }
        await scheduler.waitFor(Promise.all(reading));
      }),
      { numRuns: 300 },
    );
  });

  it("never returns a row that was replaced longer ago than the TTL, however late the database answers", async () => {
    const waits = fc.record({ wait: fc.integer({ min: 1, max: 700 }) });
    const steps = fc.array(fc.oneof(changes, reads, waits), { maxLength: 30 });
    let now = 1;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.constantFrom(1, 1500, 2 ** 20),
        fc.constantFrom(0, 1),
        fc.scheduler(),
        async (what, maxBytes, ttlSeconds, scheduler) => {
          const history = new History();
          const began = [now];
          const apply = (change: Change) => {
            history.apply(change);
            while (began.length < history.states.length) began.push(now);
          };
          for (const change of first) apply(change);
          const cache = createRowCache({ maxBytes, ttlSeconds });
          const store = history.store(0, (answer) => scheduler.schedule(Promise.resolve(answer)));
          const read = async ({ ids, freshness }: { ids: string[]; freshness: Freshness }) => {
            const oldest = now - 1000 * ttlSeconds;
            const rows = await cache.read({ nearest: store, primary: store }, "demo", ids, freshness);
            const recent = history.states.filter((_, index) => (began[index + 1] ?? Infinity) >= oldest);
            expect(recent.map(({ task }) => task)).toContain(rows.task?.generation ?? null);
            for (const id of ids) {
              const returned = rows.profiles.get(id)?.generation;
              expect(recent.map(({ profiles }) => profiles.get(id))).toContain(returned);
            }
            expect(coexisted(history.states, rows)).toBe(true);
          };
          const reading: Promise<void>[] = [];
          for (const step of what) {
            if ("wait" in step) now += step.wait;
            else if ("change" in step) apply(step);
            else reading.push(read(step));
            if (scheduler.count() > 2) await scheduler.waitOne();
          }
          await scheduler.waitFor(Promise.all(reading));
        },
      ),
      { numRuns: 300 },
    );
  });

  describe("starts the TTL at the query", () => {
    const TTL_MS = 1000;

    /** Returns a cache over the first states, whose store answers only on `answer(number)`. */
    function manualStore() {
      let now = 1;
      vi.spyOn(performance, "now").mockImplementation(() => now);
      const history = new History();
      for (const change of first) history.apply(change);
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
      // So a lagging replica is still detected.
      const lagging = read(["a"], "nearest", 1 + IDS.length);
      await answer(2);
      expect(queries()).toBe(4);
      await answer(3);
      expect((await lagging).task?.generation).toBe(history.last.task);
    });
  });

  describe("queries the primary store only if it may know more", () => {
    /** Returns a cache over a history whose replicas do not lag, and the number of queries of each store. */
    function countQueries(history: History, ttlSeconds = 3600) {
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
        const { read, queries } = countQueries(new History(), ttlSeconds);
        await Promise.all(Array.from({ length: 20 }, () => read(["a"])));
        expect(queries).toEqual({ nearest: 20, primary: 0 });
      },
    );

    it("not for a profile that never existed", async () => {
      const history = new History();
      for (const change of first) history.apply(change);
      const { read, queries } = countQueries(history);
      for (let time = 0; time < 5; time++) await read(["a", "unknown"]);
      expect(queries).toEqual({ nearest: 5, primary: 0 });
    });

    it.each<[string, Change]>([
      ["task", { change: "noTask" }],
      ["profile", { change: "noProfile", id: "a" }],
    ])("once for a deleted %s", async (_, deletion) => {
      const history = new History();
      for (const change of first) history.apply(change);
      const { read, queries } = countQueries(history);
      await read(["a"]);
      history.apply(deletion);
      for (let time = 0; time < 5; time++) await read(["a"], "nearest");
      expect(queries).toEqual({ nearest: 6, primary: 1 });
    });
  });
});
