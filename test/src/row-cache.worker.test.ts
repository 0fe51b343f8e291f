import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it } from "vitest";
import { createRowCache } from "../../src/row-cache.ts";
import { createStore } from "../../src/store.ts";
import { masksOf, profilesOf, taskOf } from "../support/rows.ts";

const MAX_BYTES = 2 ** 20;
const store = createStore(drizzle(env.DB));

/** Changes a profile behind the store's back, so that only a read of the database can tell. */
const overwrite = (id: string, masks: Uint8Array) =>
  env.DB.prepare("UPDATE profiles SET masks = ? WHERE id = ?").bind(masks, id).run();

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("createRowCache", () => {
  it("answers from memory until the time to live is over", async () => {
    await store.push(taskOf(), profilesOf(1));
    const read = createRowCache(store, { maxBytes: MAX_BYTES, ttlSeconds: 1 });
    const first = await read("demo", "demo-000");
    await overwrite("demo-000", masksOf(77));
    expect(await read("demo", "demo-000")).toMatchObject(first);
    await sleep(1100);
    expect((await read("demo", "demo-000")).profile?.masks).toEqual(masksOf(77));
  });

  it.each([
    ["no time to live", { maxBytes: MAX_BYTES, ttlSeconds: 0 }],
    ["no room", { maxBytes: 1, ttlSeconds: 30 }],
  ])("reads the database every time with %s", async (_, limits) => {
    await store.push(taskOf(), profilesOf(1));
    const read = createRowCache(store, limits);
    await read("demo", "demo-000");
    await overwrite("demo-000", masksOf(77));
    expect((await read("demo", "demo-000")).profile?.masks).toEqual(masksOf(77));
  });

  it("finds a profile as soon as it is pushed", async () => {
    await store.push(taskOf(), []);
    const read = createRowCache(store, { maxBytes: MAX_BYTES, ttlSeconds: 30 });
    expect((await read("demo", "demo-000")).profile).toBeNull();
    await store.push(taskOf(), profilesOf(1));
    expect((await read("demo", "demo-000")).profile).not.toBeNull();
  });

  it("finds a task as soon as it is pushed", async () => {
    const read = createRowCache(store, { maxBytes: MAX_BYTES, ttlSeconds: 30 });
    expect(await read("demo", "demo-000")).toEqual({ task: null, profile: null });
    await store.push(taskOf(), profilesOf(1));
    expect((await read("demo", "demo-000")).task).not.toBeNull();
  });

  it("never gives new masks with the old head", async () => {
    await store.push(taskOf(), profilesOf(2));
    const read = createRowCache(store, { maxBytes: MAX_BYTES, ttlSeconds: 30 });
    await read("demo", "demo-000");
    await store.push(taskOf({ labels: ["x", "y", "z"] }), profilesOf(2));

    const cold = await read("demo", "demo-001");
    expect(cold.profile?.generation).toBe(2);
    expect(cold.task?.labels).toEqual(["x", "y", "z"]);

    const warm = await read("demo", "demo-000");
    expect([warm.task?.generation, warm.profile?.generation]).toEqual([2, 2]);
  });
});
