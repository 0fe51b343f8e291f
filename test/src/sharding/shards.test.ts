import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredProfile } from "../../../src/profiles/profile.ts";
import { mergePages } from "../../../src/sharding/profiles.ts";
import { groupByShard, shardOf } from "../../../src/sharding/shards.ts";
import { masksOf } from "../../support/rows.ts";

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/);
const task = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/);
const count = fc.integer({ min: 1, max: 64 });

describe("the database of a profile", () => {
  it("never changes: the assignment is part of the format", () => {
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

  it("is one of the databases, the first if there is only one", () => {
    fc.assert(
      fc.property(task, id, count, (task, id, count) => {
        const number = shardOf({ task, id }, count);
        expect(Number.isInteger(number) && number >= 0 && number < count).toBe(true);
        expect(shardOf({ task, id }, 1)).toBe(0);
      }),
    );
  });

  it.each([2, 3, 4, 8, 10])("is evenly spread over %i for consecutive ids", (count) => {
    const each = 40_000 / count;
    const sums = new Array<number>(count).fill(0);
    for (let index = 0; index < 40_000; index++) {
      const number = shardOf({ task: "news", id: `user-${index}` }, count);
      sums[number] = (sums[number] ?? 0) + 1;
    }
    // Five standard deviations of a random assignment.
    for (const sum of sums) expect(Math.abs(sum - each)).toBeLessThan(5 * Math.sqrt(each));
  });

  it("groups every profile once, in order", () => {
    fc.assert(
      fc.property(task, fc.array(id), count, (task, ids, count) => {
        const sorted = groupByShard(task, ids, (id) => id, count);
        for (const [number, members] of sorted) {
          expect(members).toEqual(ids.filter((id) => shardOf({ task, id }, count) === number));
        }
        expect([...sorted.values()].flat().length).toBe(ids.length);
      }),
    );
  });
});

describe("merged pages", () => {
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

  it("have as many profiles as fit in memory, by their masks and label biases", () => {
    const items = Array.from({ length: 9 }, (_, n) => ({ ...profile(`p-${n}`), labelBias: new Uint8Array(2 ** 20) }));
    expect(mergePages([{ items, next: null }], 100)).toEqual({ items: items.slice(0, 3), next: "p-2" });
  });

  it("contain every profile once, by id, up to the limit", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(id),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        (ids, count, limit) => {
          const sorted = ids.toSorted();
          const spread = groupByShard("demo", sorted, (id) => id, count);
          const seen: string[] = [];
          let after: string | null = "";
          while (after !== null) {
            const pages = [...spread.values()].map((members) => page(members, after ?? "", limit));
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
