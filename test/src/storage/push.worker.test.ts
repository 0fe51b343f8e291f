import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { expect, it } from "vitest";
import { createProfileHistory } from "../../../src/storage/history.ts";
import { createProfileRegistry } from "../../../src/storage/profiles.ts";
import { createPush } from "../../../src/storage/push.ts";
import { createTaskRegistry } from "../../../src/storage/tasks.ts";
import { adapterOf, masksOf, profilesOf, taskOf } from "../../support/rows.ts";

const db = drizzle(env.DB);
const push = createPush(db);
const tasks = createTaskRegistry(db);
const profiles = createProfileRegistry(db);
const history = createProfileHistory(db);

const generationsOf = (...ids: string[]) =>
  Promise.all(ids.map(async (id) => (await profiles.get({ task: "demo", id })).generation));

it("writes a label bias, and removes it with a push that has none", async () => {
  const labelBias = Uint8Array.of(0, 127, 128);
  await push(taskOf(), [{ id: "a", masks: masksOf(1), labelBias }]);
  expect((await profiles.get({ task: "demo", id: "a" })).labelBias).toEqual(labelBias);
  await push(taskOf(), [{ id: "a", masks: masksOf(1), labelBias: null }]);
  expect((await profiles.get({ task: "demo", id: "a" })).labelBias).toBeNull();
});

it("increments the generation of each written row, and of no other", async () => {
  await push(taskOf(), profilesOf(3));
  await push(taskOf(), profilesOf(2));
  expect(await generationsOf("demo-000", "demo-001", "demo-002")).toEqual([2, 2, 1]);
  expect((await tasks.get("demo")).generation).toBe(2);
});

it("writes more profiles than a statement can bind parameters", async () => {
  await push(taskOf(), profilesOf(101));
  expect((await profiles.get({ task: "demo", id: "demo-100" })).masks).toEqual(masksOf(101));
  expect(await env.DB.prepare("SELECT count(*) AS n FROM profiles").first("n")).toBe(101);
});

it("changes no row if one row of the push fails", async () => {
  await push(taskOf(), profilesOf(30));
  const before = await profiles.get({ task: "demo", id: "demo-000" });
  const broken = { id: "demo-029", masks: null as unknown as Uint8Array, labelBias: null };
  const changed = profilesOf(29).map((profile) => ({ ...profile, masks: masksOf(99) }));
  await expect(push(taskOf({ maxTokens: 8 }), [...changed, broken])).rejects.toMatchObject({
    code: "database_unavailable",
  });
  expect(await profiles.get({ task: "demo", id: "demo-000" })).toEqual(before);
  expect(await generationsOf("demo-028", "demo-029")).toEqual([1, 1]);
});

it.each([
  ["labels", taskOf({ labels: ["a", "b", "c"] })],
  ["head", taskOf({ head: new Float32Array(3 * 385) })],
  ["adapter", taskOf({ adapter: adapterOf(1) })],
  ["bundle", taskOf({ bundle: "1".repeat(32) })],
])("leaves no profile with %s it was not trained with", async (_, changed) => {
  await push(taskOf(), profilesOf(3));
  await expect(push(changed, profilesOf(2))).rejects.toMatchObject({
    code: "mismatched_write",
    message: expect.stringContaining('"demo-002"'),
  });
  expect(await generationsOf("demo-000", "demo-002")).toEqual([1, 1]);

  await push(changed, profilesOf(3));
  expect(await generationsOf("demo-000", "demo-002")).toEqual([2, 2]);
});

it("accepts one of two concurrent pushes", async () => {
  await push(taskOf(), profilesOf(1));
  const results = await Promise.allSettled(
    [1, 2].map((seed) => push(taskOf(), [{ id: "new", masks: masksOf(seed), labelBias: null }])),
  );
  const rejected = results.filter((result) => result.status === "rejected");
  expect(rejected).toHaveLength(1);
  expect(rejected[0]?.reason).toMatchObject({ code: "write_conflict" });
  expect(await generationsOf("new")).toEqual([1]);
});

it("rejects a push if a profile was written meanwhile", async () => {
  await push(taskOf(), profilesOf(1));
  // Between the push's read and its write, another writer adds a profile.
  const late = { masks: masksOf(9), labelBias: null };
  const between = new Proxy(db, {
    get(of, name) {
      if (name !== "batch") return Reflect.get(of, name);
      return async (batch: Parameters<typeof db.batch>[0]) => {
        const result = await of.batch(batch);
        await profiles.put({ task: "demo", id: "late" }, late, 1, undefined).catch(() => {});
        return result;
      };
    },
  });
  const changed = taskOf({ labels: ["x", "y", "z"] });
  await expect(createPush(between)(changed, profilesOf(1))).rejects.toMatchObject({ code: "write_conflict" });
  expect((await tasks.get("demo")).labels).toEqual(["low", "middle", "high"]);
  expect(await generationsOf("demo-000", "late")).toEqual([1, 1]);
});

it.each([
  ["labels", { labels: ["a", "b", "c"] }],
  ["an adapter", { adapter: adapterOf(1) }],
])(
  "keeps the history across a push with the same head, and deletes it with another head or adapter: %s",
  async (_, changed) => {
    await push(taskOf(), [{ id: "a", masks: masksOf(1), labelBias: null }]);
    await push(taskOf({ maxTokens: 16 }), [{ id: "a", masks: masksOf(2), labelBias: null }]);
    const before = await history.read({ task: "demo", id: "a" });
    expect(before.earlier.map(({ generation, masks }) => [generation, masks])).toEqual([[1, masksOf(1)]]);
    await push(taskOf(changed), [{ id: "a", masks: masksOf(3), labelBias: null }]);
    expect((await history.read({ task: "demo", id: "a" })).earlier).toEqual([]);
  },
);
