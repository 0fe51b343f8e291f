import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredProfile } from "../../../src/profiles/profile.ts";
import { mergePages } from "../../../src/sharding/profiles.ts";
import { groupByShard, shardOf } from "../../../src/sharding/shards.ts";
import { masksOf } from "../../support/rows.ts";

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/);
const task = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/);
const count = fc.integer({ min: 1, max: 64 });

describe("which database a profile is in", () => {
  it("never changes: these are a part of the format", () => {
    const golden = [
      ["news", "news-000"],
      ["news", "news-001"],
      ["offense", "a"],
      ["demo", "user:4711@example.org"],
      ["a-task_0", "A.b_c:d@e-f"],
    ] as const;
    const places = golden.map(([task, id]) => [2, 3, 10, 1000].map((count) => shardOf({ task, id }, count)));
    expect(places).toEqual([
      [0, 0, 6, 606],
      [1, 0, 9, 489],
      [1, 1, 3, 603],
      [1, 2, 5, 25],
      [0, 2, 2, 712],
    ]);
  });

  it("is one of those that there are, and the only one where there is one", () => {
    fc.assert(
      fc.property(task, id, count, (task, id, count) => {
        const number = shardOf({ task, id }, count);
        expect(Number.isInteger(number) && number >= 0 && number < count).toBe(true);
        expect(shardOf({ task, id }, 1)).toBe(0);
      }),
    );
  });

  it.each([2, 3, 4, 8, 10])("spreads ids that count up evenly over %i", (count) => {
    const each = 40_000 / count;
    const sums = new Array<number>(count).fill(0);
    for (let index = 0; index < 40_000; index++) {
      const number = shardOf({ task: "news", id: `user-${index}` }, count);
      sums[number] = (sums[number] ?? 0) + 1;
    }
    // Five standard deviations of what chance alone would do.
    for (const sum of sums) expect(Math.abs(sum - each)).toBeLessThan(5 * Math.sqrt(each));
  });

  it("sorts all, each once, in their order", () => {
    fc.assert(
      fc.property(task, fc.array(id), count, (task, ids, count) => {
        const sorted = groupByShard(task, ids, (one) => one, count);
        for (const [number, own] of sorted) {
          expect(own).toEqual(ids.filter((id) => shardOf({ task, id }, count) === number));
        }
        expect([...sorted.values()].flat().length).toBe(ids.length);
      }),
    );
  });
});

describe("pages put together", () => {
  const profile = (id: string): StoredProfile => ({
    task: "demo",
    id,
    masks: masksOf(1),
    labelBias: null,
    generation: 1,
    updatedAt: new Date(0),
  });
  const page = (ids: readonly string[], after: string, limit: number) => {
    const rest = ids.filter((id) => id > after);
    const items = rest.slice(0, limit).map(profile);
    return { items, next: rest.length > limit ? (items.at(-1)?.id ?? null) : null };
  };

  it("give every profile once, by id, at most as many as asked for", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(id),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        (ids, count, limit) => {
          const sorted = ids.toSorted();
          const spread = groupByShard("demo", sorted, (one) => one, count);
          const seen: string[] = [];
          let after: string | null = "";
          while (after !== null) {
            const pages = [...spread.values()].map((own) => page(own, after ?? "", limit));
            const { items, next } = mergePages(pages, limit);
            expect(items.length).toBeLessThanOrEqual(limit);
            seen.push(...items.map(({ id }) => id));
            after = next;
          }
          expect(seen).toEqual(sorted);
        },
      ),
    );
  });
});
