import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createRowCache, type Freshness, type Rows } from "../../../src/serving/row-cache.ts";
import { type Change, IDS, RowHistory, type State, WRITE_ALL } from "../../support/row-history.ts";

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
        const history = new RowHistory(WRITE_ALL);
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
          const history = new RowHistory();
          const began = [now];
          const apply = (change: Change) => {
            history.apply(change);
            while (began.length < history.states.length) began.push(now);
          };
          for (const change of WRITE_ALL) apply(change);
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
});
