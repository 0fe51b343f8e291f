import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { beforeEach, describe, expect, it } from "vitest";
import { createStore, type ProfileStore } from "../../src/store.ts";
import { masksOf, profilesOf, taskOf } from "../support/rows.ts";

const { DB } = env;
let store: ProfileStore;

beforeEach(() => {
  store = createStore(drizzle(DB));
});

const generationsOf = async (ids: string[]) =>
  Promise.all(ids.map(async (id) => (await store.readProfile("demo", id)).profile?.generation));

describe("reading", () => {
  it("gives a task and a profile back as they were pushed", async () => {
    const task = taskOf();
    const [profile] = profilesOf(1);
    await store.push(task, profilesOf(1));
    const rows = await store.read("demo", "demo-000");
    expect(rows.task).toEqual({ ...task, generation: 1 });
    expect(rows.profile).toMatchObject({ task: "demo", id: "demo-000", masks: profile?.masks, generation: 1 });
    expect(rows.profile?.masks).toBeInstanceOf(Uint8Array);
  });

  it("gives null for what is not there", async () => {
    await store.push(taskOf(), []);
    expect(await store.read("demo", "nobody")).toMatchObject({ task: { name: "demo" }, profile: null });
    expect(await store.read("nothing", "nobody")).toEqual({ task: null, profile: null });
    expect(await store.readProfile("demo", "nobody")).toEqual({ profile: null, taskGeneration: 1 });
    expect(await store.readProfile("nothing", "nobody")).toEqual({ profile: null, taskGeneration: null });
  });

  it("lists tasks by name, without heads", async () => {
    const start = Date.now();
    await store.push(taskOf({ name: "zebra" }), []);
    await store.push(taskOf({ name: "ant", labels: ["1", "2"] }), []);
    const tasks = await store.tasks();
    expect(tasks.map(({ name }) => name)).toEqual(["ant", "zebra"]);
    expect(tasks[0]).toMatchObject({ labels: ["1", "2"], maxTokens: 32, generation: 1 });
    expect(tasks[0]).not.toHaveProperty("head");
    expect(tasks[0]?.updatedAt.getTime()).toBeGreaterThanOrEqual(start);
  });
});

describe("pushing", () => {
  it("keeps a label bias, and takes it away with a push that has none", async () => {
    const labelBias = Uint8Array.of(0, 127, 128);
    await store.push(taskOf(), [{ id: "a", masks: masksOf(1), labelBias }]);
    expect((await store.readProfile("demo", "a")).profile?.labelBias).toEqual(labelBias);
    await store.push(taskOf(), [{ id: "a", masks: masksOf(1), labelBias: null }]);
    expect((await store.readProfile("demo", "a")).profile?.labelBias).toBeNull();
  });

  it("counts a generation up for each row that is written, and for no other", async () => {
    await store.push(taskOf(), profilesOf(3));
    await store.push(taskOf(), profilesOf(2));
    expect(await generationsOf(["demo-000", "demo-001", "demo-002"])).toEqual([2, 2, 1]);
    expect((await store.tasks())[0]?.generation).toBe(2);
  });

  it("writes more profiles than a statement binds parameters", async () => {
    await store.push(taskOf(), profilesOf(101));
    const { profile } = await store.readProfile("demo", "demo-100");
    expect(profile?.masks).toEqual(masksOf(101));
    const count = await DB.prepare("SELECT count(*) AS n FROM profiles").first("n");
    expect(count).toBe(101);
  });

  it("leaves every row as it was when one row of the push fails", async () => {
    await store.push(taskOf(), profilesOf(30));
    const before = await store.read("demo", "demo-000");
    const broken = { id: "demo-029", masks: null as unknown as Uint8Array, labelBias: null };
    const push = store.push(taskOf({ maxTokens: 8 }), [
      ...profilesOf(29).map((p) => ({ ...p, masks: masksOf(99) })),
      broken,
    ]);
    await expect(push).rejects.toMatchObject({ code: "database_unavailable" });
    expect(await store.read("demo", "demo-000")).toEqual(before);
    expect(await generationsOf(["demo-028", "demo-029"])).toEqual([1, 1]);
  });

  it.each([
    ["labels", taskOf({ labels: ["a", "b", "c"] })],
    ["head", taskOf({ head: new Float32Array(3 * 385) })],
    ["bundle", taskOf({ bundle: "1".repeat(32) })],
  ])("does not leave a profile behind with %s it was not trained with", async (_, changed) => {
    await store.push(taskOf(), profilesOf(3));
    await expect(store.push(changed, profilesOf(2))).rejects.toMatchObject({
      code: "mismatched_write",
      message: expect.stringContaining('"demo-002"'),
    });
    expect(await generationsOf(["demo-000", "demo-002"])).toEqual([1, 1]);

    await store.push(changed, profilesOf(3));
    expect(await generationsOf(["demo-000", "demo-002"])).toEqual([2, 2]);
  });

  it("lets one of two pushes at the same time through", async () => {
    await store.push(taskOf(), profilesOf(1));
    const results = await Promise.allSettled(
      [1, 2].map((seed) => store.push(taskOf(), [{ id: "new", masks: masksOf(seed), labelBias: null }])),
    );
    const lost = results.filter((result) => result.status === "rejected");
    expect(lost).toHaveLength(1);
    expect(lost[0]?.reason).toMatchObject({ code: "write_conflict" });
    expect(await generationsOf(["new"])).toEqual([1]);
  });
});

describe("rows and databases that are damaged", () => {
  it.each([
    ["labels that are not JSON", "UPDATE tasks SET labels = 'low, high'"],
    ["labels that are not strings", "UPDATE tasks SET labels = '[1, 2, 3]'"],
    ["a head that is cut off", "UPDATE tasks SET head = x'00000000'"],
    ["an empty head", "UPDATE tasks SET head = x''"],
  ])("names %s", async (_, statement) => {
    await store.push(taskOf(), []);
    await DB.exec(statement);
    await expect(store.read("demo", "any")).rejects.toMatchObject({ code: "invalid_row" });
  });

  it("names a database without tables", async () => {
    await DB.exec("DROP TABLE profiles");
    await expect(store.read("demo", "any")).rejects.toMatchObject({ code: "database_unavailable" });
    await expect(store.push(taskOf(), [])).rejects.toMatchObject({ code: "database_unavailable" });
  });
});
