import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it } from "vitest";
import { createProfileStore } from "../../../src/storage/profile-store.ts";
import { createPush } from "../../../src/storage/push.ts";
import { masksOf, profilesOf, taskOf } from "../../support/rows.ts";

const db = drizzle(env.DB);
const push = createPush(db);
const store = createProfileStore(db);

describe("reading", () => {
  it("returns a task and its profiles as they were pushed", async () => {
    const labelBias = Uint8Array.of(0, 127, 128);
    const biased = { id: "biased", masks: masksOf(9), labelBias };
    await push(taskOf(), [...profilesOf(2), biased]);
    const rows = await store.read("demo", ["demo-001", "nobody", "biased"], null);
    expect(rows.generation).toBe(1);
    expect(rows.task).toEqual({ ...taskOf(), generation: 1 });
    expect([...rows.profiles.keys()]).toEqual(["demo-001", "biased"]);
    expect(rows.profiles.get("demo-001")).toMatchObject({ ...profilesOf(2)[1], task: "demo", generation: 1 });
    expect(rows.profiles.get("biased")?.labelBias).toEqual(labelBias);
    expect(rows.profiles.get("biased")?.masks).toBeInstanceOf(Uint8Array);
  });

  it("omits a task that the caller knows, and returns one that has changed since", async () => {
    await push(taskOf(), profilesOf(1));
    const known = await store.read("demo", ["demo-000"], 1);
    expect(known).toMatchObject({ generation: 1, task: null });
    expect(known.profiles.size).toBe(1);
    await push(taskOf(), []);
    expect(await store.read("demo", ["demo-000"], 1)).toMatchObject({ generation: 2, task: { generation: 2 } });
  });

  it("returns a task without profiles", async () => {
    await push(taskOf(), []);
    expect(await store.read("demo", [], null)).toMatchObject({ generation: 1, task: { name: "demo" } });
    expect(await store.read("demo", [], 1)).toMatchObject({ generation: 1, task: null });
  });

  it("returns nothing for an unknown task", async () => {
    expect(await store.read("nothing", ["nobody"], null)).toEqual({
      generation: null,
      task: null,
      profiles: new Map(),
    });
  });

  it("treats ids that look like SQL or JSON as plain ids", async () => {
    await push(taskOf(), profilesOf(1));
    const rows = await store.read("demo", ["' OR 1=1 --", '"],["', "demo-000"], null);
    expect([...rows.profiles.keys()]).toEqual(["demo-000"]);
  });
});

describe("damaged rows and databases", () => {
  it.each([
    ["labels that are not JSON", "UPDATE tasks SET labels = 'low, high'"],
    ["labels that are not strings", "UPDATE tasks SET labels = '[1, 2, 3]'"],
    ["a truncated head", "UPDATE tasks SET head = x'00000000'"],
    ["an empty head", "UPDATE tasks SET head = x''"],
  ])("reports %s", async (_, statement) => {
    await push(taskOf(), []);
    await env.DB.exec(statement);
    await expect(store.read("demo", ["any"], null)).rejects.toMatchObject({ code: "invalid_row" });
  });

  it("reports a database without tables", async () => {
    await env.DB.exec("DROP TABLE profiles");
    await expect(store.read("demo", ["any"], null)).rejects.toMatchObject({ code: "database_unavailable" });
    await expect(push(taskOf(), [])).rejects.toMatchObject({ code: "database_unavailable" });
  });
});
