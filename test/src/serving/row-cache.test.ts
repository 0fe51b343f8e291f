import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { StoredProfile } from "../../../src/profiles/profile.ts";
import { createRowCache, type Freshness, type Rows } from "../../../src/serving/row-cache.ts";
import type { ProfileStore, TaskAndProfiles } from "../../../src/storage/profile-store.ts";
import { masksOf, taskOf } from "../../support/rows.ts";

// Local D1 has no replicas, so here a database is the list of states that it was in: the primary store reads the last one,
// the nearest store any.

const IDS = ["a", "b", "c"];
const TASK = taskOf();
const MASKS = masksOf(1);

/** Generations as they stood together; null or absent where there is none. */
interface State {
  readonly task: number | null;
  readonly profiles: ReadonlyMap<string, number>;
}

type Change =
  | { readonly change: "task" }
  | { readonly change: "noTask" }
  | { readonly change: "profile"; readonly id: string }
  | { readonly change: "noProfile"; readonly id: string };

/** A database's states, and how its stores read them. No generation is ever used twice. */
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

  /** A store that reads the state which is `lag` changes old when it is asked. */
  store(lag: number, answered: <T>(answer: T) => Promise<T>): ProfileStore {
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
        return answered(answer);
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
  freshness: fc.constantFrom<Freshness>("kept", "nearest", "primary"),
  lag: fc.nat(6),
});

const first: Change[] = [{ change: "task" }, ...IDS.map((id): Change => ({ change: "profile", id }))];

/** Whether a task and each of its profiles, as they were given, ever stood together. */
function stoodTogether(states: readonly State[], { task, profiles }: Rows): boolean {
  if (!task) return profiles.size === 0;
  return [...profiles].every(([id, { generation }]) =>
    states.some((state) => state.task === task.generation && state.profiles.get(id) === generation),
  );
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the cache of rows, whatever is written and read", () => {
  it("goes back on nothing that it has given and keeps, though replicas lag behind and answers overtake each other", async () => {
    const steps = fc.array(fc.oneof(changes, reads), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(steps, fc.scheduler(), async (what, scheduler) => {
        const history = new History();
        for (const change of first) history.apply(change);
        const cache = createRowCache({ maxBytes: 2 ** 20, ttlSeconds: 3600 });
        const answered = <T>(answer: T) => scheduler.schedule(Promise.resolve(answer));

        // The earliest state that can have been the last thing given; of what was last given as absent, nothing is known.
        const floors = new Map<string, number>();
        const timesAbsent = new Map<string, number>();
        const generationOf = (state: State, key: string) =>
          key === "" ? state.task : (state.profiles.get(key) ?? null);

        const ask = async ({ ids, freshness, lag }: { ids: string[]; freshness: Freshness; lag: number }) => {
          const before = new Map(floors);
          const absentBefore = new Map(timesAbsent);
          const newest = history.states.length - 1;
          const stores = { nearest: history.store(lag, answered), primary: history.store(0, answered) };
          const rows = await cache.read(stores, "demo", ids, freshness);

          expect(stoodTogether(history.states, rows)).toBe(true);
          for (const key of ["", ...ids]) {
            const given = (key === "" ? rows.task?.generation : rows.profiles.get(key)?.generation) ?? null;
            const kept = Math.min(before.get(key) ?? 0, floors.get(key) ?? 0);
            const floor = freshness === "primary" ? Math.max(kept, newest) : kept;
            const since = history.states.findIndex(
              (state, index) => index >= floor && generationOf(state, key) === given,
            );
            expect(since, `${key || "task"} at ${given}, which ended before state ${floor}`).toBeGreaterThanOrEqual(0);
            // What others have been told to be gone meanwhile is not kept, though this read began when it was.
            if (given !== null && timesAbsent.get(key) === absentBefore.get(key))
              floors.set(key, Math.max(since, floors.get(key) ?? 0));
          }
          const absent = rows.task ? ids.filter((id) => !rows.profiles.has(id)) : ["", ...IDS];
          for (const key of absent) {
            floors.delete(key);
            timesAbsent.set(key, (timesAbsent.get(key) ?? 0) + 1);
          }
        };

        const asked: Promise<void>[] = [];
        for (const step of what) {
          if ("change" in step) history.apply(step);
          else asked.push(ask(step));
          if (scheduler.count() > 2) await scheduler.waitOne();
        }
        await scheduler.waitFor(Promise.all(asked));
      }),
      { numRuns: 300 },
    );
  });

  it("gives nothing that was over for longer than the time to live, however late the database answers", async () => {
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
          const ask = async ({ ids, freshness }: { ids: string[]; freshness: Freshness }) => {
            const oldest = now - 1000 * ttlSeconds;
            const rows = await cache.read({ nearest: store, primary: store }, "demo", ids, freshness);
            const recent = history.states.filter((_, index) => (began[index + 1] ?? Infinity) >= oldest);
            expect(recent.map(({ task }) => task)).toContain(rows.task?.generation ?? null);
            for (const id of ids) {
              const given = rows.profiles.get(id)?.generation;
              expect(recent.map(({ profiles }) => profiles.get(id))).toContain(given);
            }
            expect(stoodTogether(history.states, rows)).toBe(true);
          };
          const asked: Promise<void>[] = [];
          for (const step of what) {
            if ("wait" in step) now += step.wait;
            else if ("change" in step) apply(step);
            else asked.push(ask(step));
            if (scheduler.count() > 2) await scheduler.waitOne();
          }
          await scheduler.waitFor(Promise.all(asked));
        },
      ),
      { numRuns: 300 },
    );
  });

  describe("counts an answer's age from when it was asked for", () => {
    const TTL_MS = 1000;

    /** A cache over the first states, whose store answers when it is told to. */
    function slowly() {
      let now = 1;
      vi.spyOn(performance, "now").mockImplementation(() => now);
      const history = new History();
      for (const change of first) history.apply(change);
      const cache = createRowCache({ maxBytes: 2 ** 20, ttlSeconds: TTL_MS / 1000 });
      const asked: (() => void)[] = [];
      const wait = <T>(answer: T) => new Promise<T>((resolve) => void asked.push(() => resolve(answer)));
      const storeOf = (lag: number) => history.store(lag, wait);
      const read = (ids: string[], freshness: Freshness = "kept", lag = 0) =>
        cache.read({ nearest: storeOf(lag), primary: storeOf(0) }, "demo", ids, freshness);
      return {
        history,
        read,
        /** How often the store was asked. */
        times: () => asked.length,
        pass(milliseconds: number) {
          now += milliseconds;
        },
        async answer(number: number) {
          asked[number]?.();
          await new Promise((resolve) => setImmediate(resolve));
        },
      };
    }

    it("a task's", async () => {
      const { read, times, pass, answer } = slowly();
      const reading = read([]);
      pass(600);
      await answer(0);
      await reading;
      pass(400);
      await read([]);
      expect(times()).toBe(1);
      pass(1);
      void read([]);
      expect(times()).toBe(2);
    });

    it("a profile's, whose task is newer in memory", async () => {
      const { read, times, pass, answer } = slowly();
      const reading = read(["a"]);
      pass(600);
      await answer(0);
      await reading;
      const renewing = read([], "nearest");
      await answer(1);
      await renewing;
      pass(400);
      await read(["a"]);
      expect(times()).toBe(2);
      pass(1);
      void read(["a"]);
      expect(times()).toBe(3);
    });

    it("but lets a late answer make nothing older that was asked for after it", async () => {
      const { history, read, times, pass, answer } = slowly();
      const late = read(["a"]);
      pass(TTL_MS);
      const own = read(["a"]);
      pass(1);
      await answer(1);
      await own;
      await answer(0);
      await late;
      await read(["a"]);
      expect(times()).toBe(2);
      // So a replica that lags is still found to.
      const lagging = read(["a"], "nearest", 1 + IDS.length);
      await answer(2);
      expect(times()).toBe(4);
      await answer(3);
      expect((await lagging).task?.generation).toBe(history.last.task);
    });
  });

  describe("asks the primary store only where that can tell more", () => {
    /** A cache over a history whose replicas do not lag, and how often each store was asked. */
    function counted(history: History, ttlSeconds = 3600) {
      const asked = { nearest: 0, primary: 0 };
      const counting = (name: "nearest" | "primary"): ProfileStore => {
        const store = history.store(0, (answer) => Promise.resolve(answer));
        return {
          read(...what) {
            asked[name]++;
            return store.read(...what);
          },
        };
      };
      const stores = { nearest: counting("nearest"), primary: counting("primary") };
      const cache = createRowCache({ maxBytes: 2 ** 20, ttlSeconds });
      const read = (ids: string[], freshness: Freshness = "kept") => cache.read(stores, "demo", ids, freshness);
      return { read, asked };
    }

    it.each([0, 3600])("not for a task that never was, however many ask; kept for %i s", async (ttlSeconds) => {
      const { read, asked } = counted(new History(), ttlSeconds);
      await Promise.all(Array.from({ length: 20 }, () => read(["a"])));
      expect(asked).toEqual({ nearest: 20, primary: 0 });
    });

    it("not for a profile that never was", async () => {
      const history = new History();
      for (const change of first) history.apply(change);
      const { read, asked } = counted(history);
      for (let time = 0; time < 5; time++) await read(["a", "nobody"]);
      expect(asked).toEqual({ nearest: 5, primary: 0 });
    });

    it.each<[string, Change]>([
      ["task", { change: "noTask" }],
      ["profile", { change: "noProfile", id: "a" }],
    ])("once for a %s that is gone", async (_, gone) => {
      const history = new History();
      for (const change of first) history.apply(change);
      const { read, asked } = counted(history);
      await read(["a"]);
      history.apply(gone);
      for (let time = 0; time < 5; time++) await read(["a"], "nearest");
      expect(asked).toEqual({ nearest: 6, primary: 1 });
    });
  });
});
