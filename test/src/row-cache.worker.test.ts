import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it } from "vitest";
import { createPush } from "../../src/push.ts";
import { createRowCache, type RowCacheLimits } from "../../src/row-cache.ts";
import { createStore, type ProfileStore } from "../../src/store.ts";
import { masksOf, profilesOf, taskOf } from "../support/rows.ts";

const KEEPING = { maxBytes: 2 ** 20, ttlSeconds: 30 };
const db = drizzle(env.DB);
const push = createPush(db);

/** Changes a profile behind the cache's back, so that only a read of the database can tell. */
const overwrite = (id: string, masks: Uint8Array) =>
  env.DB.prepare("UPDATE profiles SET masks = ?, generation = generation + 1 WHERE id = ?").bind(masks, id).run();

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A cache over the database, and how often that was asked. */
function cached(limits: RowCacheLimits = KEEPING) {
  const cache = createRowCache(limits);
  const store = createStore(db);
  const asked = { times: 0 };
  const counted: ProfileStore = {
    read(...what) {
      asked.times++;
      return store.read(...what);
    },
  };
  const read = (ids: string[], fresh = false) => cache.read(counted, "demo", ids, fresh);
  return { cache, read, asked };
}

describe("createRowCache", () => {
  it("answers from memory until the time to live is over", async () => {
    await push(taskOf(), profilesOf(1));
    const { read } = cached({ ...KEEPING, ttlSeconds: 1 });
    await read(["demo-000"]);
    await overwrite("demo-000", masksOf(77));
    expect((await read(["demo-000"])).profiles.get("demo-000")).toMatchObject({ masks: masksOf(1), generation: 1 });
    await sleep(1100);
    expect((await read(["demo-000"])).profiles.get("demo-000")?.masks).toEqual(masksOf(77));
  });

  it.each([
    ["no time to live", { ...KEEPING, ttlSeconds: 0 }],
    ["no room", { ...KEEPING, maxBytes: 1 }],
  ])("reads the database every time with %s", async (_, limits) => {
    await push(taskOf(), profilesOf(1));
    const { read } = cached(limits);
    await read(["demo-000"]);
    await overwrite("demo-000", masksOf(77));
    expect((await read(["demo-000"])).profiles.get("demo-000")?.masks).toEqual(masksOf(77));
  });

  it("reads through when that is wanted, and keeps what it has read", async () => {
    await push(taskOf(), profilesOf(1));
    const { read } = cached();
    await read(["demo-000"]);
    await overwrite("demo-000", masksOf(77));
    expect((await read(["demo-000"], true)).profiles.get("demo-000")?.generation).toBe(2);
    expect((await read(["demo-000"])).profiles.get("demo-000")?.generation).toBe(2);
  });

  it("reads many profiles by one query, and then only those that it has not", async () => {
    await push(taskOf(), profilesOf(40));
    const ids = profilesOf(40).map(({ id }) => id);
    const { read, asked } = cached();
    expect((await read(ids.slice(0, 30))).profiles.size).toBe(30);
    expect(asked.times).toBe(1);
    expect([...(await read([...ids, "nobody"])).profiles.keys()].sort()).toEqual(ids);
    expect(asked.times).toBe(2);
    await read(ids);
    expect(asked.times).toBe(2);
  });

  it("reads a task alone", async () => {
    await push(taskOf(), []);
    const { read, asked } = cached();
    expect((await read([])).task?.labels).toEqual(["low", "middle", "high"]);
    expect((await read([])).task?.generation).toBe(1);
    expect(asked.times).toBe(1);
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

  it("never gives new masks with the old head", async () => {
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

  it("gives nothing older than it has given, though a replica may lag behind", async () => {
    await push(taskOf(), profilesOf(1));
    const store = createStore(db);
    const old = await store.read("demo", ["demo-000"], null);
    await overwrite("demo-000", masksOf(77));
    const { cache, read } = cached();
    await read(["demo-000"]);
    const lagging: ProfileStore = { read: async () => old };
    expect((await cache.read(lagging, "demo", ["demo-000"], true)).profiles.get("demo-000")?.generation).toBe(2);
    expect((await read(["demo-000"])).profiles.get("demo-000")?.generation).toBe(2);
  });
});
