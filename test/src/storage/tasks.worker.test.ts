import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it } from "vitest";
import { createProfileRegistry } from "../../../src/storage/profiles.ts";
import { createPush } from "../../../src/storage/push.ts";
import { createTaskRegistry } from "../../../src/storage/tasks.ts";
import { errorWithCode } from "../../support/errors.ts";
import { adapterOf, profilesOf, taskOf } from "../../support/rows.ts";

const db = drizzle(env.DB);
const tasks = createTaskRegistry(db);
const profiles = createProfileRegistry(db);
const push = createPush(db);

describe("listing", () => {
  it("returns tasks by name, page by page, without heads", async () => {
    for (const name of ["zebra", "ant", "mole"]) await tasks.put(taskOf({ name }), undefined, "keep");
    const first = await tasks.list({ limit: 2, after: "" }, null);
    expect(first).toMatchObject({ items: [{ name: "ant" }, { name: "mole" }], next: "mole" });
    for (const part of ["head", "masks", "adapter"]) expect(first.items[0]).not.toHaveProperty(part);
    const last = await tasks.list({ limit: 2, after: "mole" }, null);
    expect(last).toMatchObject({ items: [{ name: "zebra" }], next: null });
  });

  it("returns only the permitted task", async () => {
    for (const name of ["zebra", "ant"]) await tasks.put(taskOf({ name }), undefined, "keep");
    expect(await tasks.list({ limit: 9, after: "" }, "zebra")).toMatchObject({ items: [{ name: "zebra" }] });
  });
});

describe("writing", () => {
  it("creates, replaces and counts generations", async () => {
    expect(await tasks.put(taskOf(), 0, "keep")).toEqual({ generation: 1, created: true });
    expect(await tasks.put(taskOf({ maxTokens: 9 }), 1, "keep")).toEqual({ generation: 2, created: false });
    expect(await tasks.put(taskOf(), "any", "keep")).toEqual({ generation: 3, created: false });
    expect(await tasks.get("demo")).toMatchObject({ ...taskOf(), generation: 3 });
  });

  it.each([
    ["generation 0 of an existing task", 0 as const],
    ["an older generation", 1],
    ["a newer generation", 3],
  ])("rejects a writer who expects %s, and writes nothing", async (_, expected) => {
    await tasks.put(taskOf(), undefined, "keep");
    await tasks.put(taskOf(), undefined, "keep");
    const put = tasks.put(taskOf({ maxTokens: 9 }), expected, "delete");
    await expect(put).rejects.toThrow(errorWithCode("generation_mismatch"));
    await expect(put).rejects.toMatchObject({ facts: { generation: 2 } });
    expect((await tasks.get("demo")).maxTokens).toBe(32);
  });

  it("rejects a writer who expects a task that does not exist", async () => {
    await expect(tasks.put(taskOf(), "any", "keep")).rejects.toMatchObject({ facts: { generation: 0 } });
    await expect(tasks.put(taskOf(), 4, "keep")).rejects.toThrow(errorWithCode("generation_mismatch"));
    await expect(tasks.get("demo")).rejects.toThrow(errorWithCode("unknown_task"));
  });

  it.each([
    ["labels", taskOf({ labels: ["a", "b", "c"] })],
    ["head", taskOf({ head: new Float32Array(3 * 385) })],
    ["adapter", taskOf({ adapter: adapterOf(1) })],
    ["bundle", taskOf({ bundle: "1".repeat(32) })],
  ])("leaves no profile with %s it was not trained with", async (_, changed) => {
    await push(taskOf(), profilesOf(2));
    await expect(tasks.put(changed, undefined, "keep")).rejects.toThrow(errorWithCode("task_has_profiles"));
    expect(await tasks.put(taskOf({ maxTokens: 9 }), undefined, "keep")).toMatchObject({ generation: 2 });

    expect(await tasks.put(changed, 2, "delete")).toEqual({ generation: 3, created: false });
    expect((await profiles.list("demo", { limit: 9, after: "" }, "")).items).toEqual([]);
  });
});

it("treats another adapter, or none, like another head", async () => {
  const adapted = taskOf({ adapter: adapterOf(1) });
  await push(adapted, profilesOf(1));
  expect(await tasks.get("demo")).toMatchObject(adapted);
  expect(await tasks.put({ ...adapted, maxTokens: 9 }, 1, "keep")).toMatchObject({ generation: 2 });
  for (const adapter of [null, adapterOf(2)]) {
    const changed = { ...adapted, adapter };
    await expect(tasks.put(changed, undefined, "keep")).rejects.toThrow(errorWithCode("task_has_profiles"));
    await expect(push(changed, [])).rejects.toThrow(errorWithCode("mismatched_write"));
  }
  expect(await tasks.put(taskOf(), 2, "delete")).toMatchObject({ generation: 3 });
  expect((await tasks.get("demo")).adapter).toBeNull();
});

describe("deleting", () => {
  it("is rejected while there are profiles, unless they are deleted too", async () => {
    await push(taskOf(), profilesOf(3));
    await expect(tasks.delete("demo", undefined, "keep")).rejects.toThrow(errorWithCode("task_has_profiles"));
    await expect(tasks.delete("demo", 9, "delete")).rejects.toThrow(errorWithCode("generation_mismatch"));
    expect((await profiles.list("demo", { limit: 9, after: "" }, "")).items).toHaveLength(3);
    expect(await tasks.delete("demo", 1, "delete")).toBe(2);
    await expect(tasks.get("demo")).rejects.toThrow(errorWithCode("unknown_task"));
    await expect(tasks.delete("demo", undefined, "keep")).rejects.toThrow(errorWithCode("unknown_task"));
    await expect(tasks.delete("demo", 2, "keep")).rejects.toThrow(errorWithCode("generation_mismatch"));
  });

  it("never reuses a generation for a task or profile that is created again", async () => {
    await push(taskOf(), profilesOf(1));
    await tasks.delete("demo", undefined, "delete");
    expect(await tasks.put(taskOf(), 0, "keep")).toEqual({ generation: 3, created: true });
    const name = { task: "demo", id: "demo-000" };
    const parts = profilesOf(1)[0] ?? { masks: new Uint8Array(), labelBias: null };
    expect(await profiles.put(name, parts, 3, 0)).toEqual({ generation: 3, created: true });
    await tasks.delete("demo", undefined, "delete");
    await push(taskOf(), profilesOf(1));
    expect((await profiles.get(name)).generation).toBe(5);
    expect((await tasks.get("demo")).generation).toBe(5);
  });
});
