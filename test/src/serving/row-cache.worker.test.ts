import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it, vi } from "vitest";
import type { ProfileStore } from "../../../src/profiles/profile-store.ts";
import { createRowCache, type Freshness, type RowCacheLimits } from "../../../src/serving/row-cache.ts";
import { createProfileStore } from "../../../src/storage/profile-store.ts";
import { createPush } from "../../../src/storage/push.ts";
import { masksOf, profilesOf, taskOf } from "../../support/rows.ts";

const LIMITS = { maxBytes: 2 ** 20, ttlSeconds: 30 };
const db = drizzle(env.DB);
const push = createPush(db);

/** Changes a profile without the cache: only a read of the database shows it. */
const overwrite = (id: string, masks: Uint8Array) =>
  env.DB.prepare("UPDATE profiles SET masks = ?, generation = generation + 1 WHERE id = ?").bind(masks, id).run();

/** Returns a cache over the database, and the number of queries. */
function cached(limits: RowCacheLimits = LIMITS) {
  const cache = createRowCache(limits);
  const store = createProfileStore(db);
  const queries = { count: 0 };
  const counting: ProfileStore = {
    read(...what) {
      queries.count++;
      return store.read(...what);
    },
  };
  const stores = { nearest: counting, primary: counting };
  const read = (ids: string[], freshness: Freshness = "cached") => cache.read(stores, "demo", ids, freshness);
  return { cache, read, queries };
}

describe("createRowCache", () => {
  it("answers from memory until the TTL is over", async () => {
    await push(taskOf(), profilesOf(1));
    const { read } = cached();
    await read(["demo-000"]);
    await overwrite("demo-000", masksOf(77));
    expect((await read(["demo-000"])).profiles.get("demo-000")).toMatchObject({ masks: masksOf(1), generation: 1 });
    const later = performance.now() + 1000 * LIMITS.ttlSeconds + 1;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => later);
    const reading = read(["demo-000"]).finally(() => clock.mockRestore());
    expect((await reading).profiles.get("demo-000")?.masks).toEqual(masksOf(77));
  });

  it.each([
    ["no TTL", { ...LIMITS, ttlSeconds: 0 }],
    ["no memory", { ...LIMITS, maxBytes: 1 }],
  ])("queries the database every time with %s", async (_, limits) => {
    await push(taskOf(), profilesOf(1));
    const { read } = cached(limits);
    await read(["demo-000"]);
    await overwrite("demo-000", masksOf(77));
    expect((await read(["demo-000"])).profiles.get("demo-000")?.masks).toEqual(masksOf(77));
  });

  it("reads from the primary store on request, and caches the result", async () => {
    await push(taskOf(), profilesOf(1));
    const { read } = cached();
    await read(["demo-000"]);
    await overwrite("demo-000", masksOf(77));
    expect((await read(["demo-000"], "primary")).profiles.get("demo-000")?.generation).toBe(2);
    expect((await read(["demo-000"])).profiles.get("demo-000")?.generation).toBe(2);
  });

  it("reads many profiles with one query, then only the uncached ones", async () => {
    await push(taskOf(), profilesOf(40));
    const ids = profilesOf(40).map(({ id }) => id);
    const { read, queries } = cached();
    expect((await read(ids.slice(0, 30))).profiles.size).toBe(30);
    expect(queries.count).toBe(1);
    expect([...(await read([...ids, "nobody"])).profiles.keys()].sort()).toEqual(ids);
    expect(queries.count).toBe(2);
    await read(ids);
    expect(queries.count).toBe(2);
  });

  it("reads a task without profiles", async () => {
    await push(taskOf(), []);
    const { read, queries } = cached();
    expect((await read([])).task?.labels).toEqual(["low", "middle", "high"]);
    expect((await read([])).task?.generation).toBe(1);
    expect(queries.count).toBe(1);
  });

  it("finds a profile, and a task, as soon as it is pushed", async () => {
    const { read } = cached();
    expect(await read(["demo-000"])).toEqual({ task: null, profiles: new Map() });
    await push(taskOf(), []);
    expect((await read(["demo-000"])).task).not.toBeNull();
    expect((await read(["demo-000"])).profiles.size).toBe(0);
    await push(taskOf(), profilesOf(1));
    expect((await read(["demo-000"])).profiles.size).toBe(1);
  });

  it("never returns new masks with the old head", async () => {
    await push(taskOf(), profilesOf(3));
    const { read } = cached();
    await read(["demo-000", "demo-001"]);
    await push(taskOf({ labels: ["x", "y", "z"] }), profilesOf(3));

    const partly = await read(["demo-001", "demo-002"]);
    expect(partly.task?.labels).toEqual(["x", "y", "z"]);
    expect([...partly.profiles.values()].map(({ generation }) => generation)).toEqual([2, 2]);

    const warm = await read(["demo-000"]);
    expect([warm.task?.generation, warm.profiles.get("demo-000")?.generation]).toEqual([2, 2]);
  });

  it("drops rows that are deleted", async () => {
    await push(taskOf(), profilesOf(2));
    const { read } = cached();
    await read(["demo-000"]);
    await env.DB.prepare("DELETE FROM profiles WHERE id = 'demo-000'").run();
    expect((await read(["demo-000"], "primary")).profiles.size).toBe(0);
    expect((await read(["demo-000"])).profiles.size).toBe(0);
    await env.DB.batch(["profiles", "tasks"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
    expect((await read(["demo-001"])).task).toBeNull();
    expect((await read([])).task).toBeNull();
  });

  describe("never returns an older row than before, with a lagging replica", () => {
    const lagging = async (change: () => Promise<unknown>) => {
      await push(taskOf(), profilesOf(2));
      const primary = createProfileStore(db);
      const [alone, both] = [
        await primary.read("demo", ["demo-001"], null),
        await primary.read("demo", ["demo-000"], null),
      ];
      await change();
      const cache = createRowCache(LIMITS);
      const read = (ids: string[], nearest: ProfileStore, freshness: Freshness = "cached") =>
        cache.read({ nearest, primary }, "demo", ids, freshness);
      await read(["demo-000"], primary);
      return {
        read,
        replica: { read: async (_: string, ids: readonly string[]) => (ids.includes("demo-000") ? both : alone) },
      };
    };

    it("for a profile", async () => {
      const { read, replica } = await lagging(() => overwrite("demo-000", masksOf(77)));
      expect((await read(["demo-000"], replica, "nearest")).profiles.get("demo-000")?.generation).toBe(2);
      expect((await read(["demo-000"], replica)).profiles.get("demo-000")?.generation).toBe(2);
    });

    it.each(["cached", "nearest"] as const)("for a task, with freshness %s", async (freshness) => {
      const { read, replica } = await lagging(() => push(taskOf({ labels: ["x", "y", "z"] }), profilesOf(2)));
      const { task, profiles } = await read(["demo-000", "demo-001"], replica, freshness);
      expect(task?.labels).toEqual(["x", "y", "z"]);
      expect([...profiles.values()].map(({ generation }) => generation)).toEqual([2, 2]);
    });
  });
});
