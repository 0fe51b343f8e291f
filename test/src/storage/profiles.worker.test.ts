import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { beforeEach, describe, expect, it } from "vitest";
import { createProfileRegistry } from "../../../src/storage/profiles.ts";
import { createPush } from "../../../src/storage/push.ts";
import { createTaskRegistry } from "../../../src/storage/tasks.ts";
import { errorWithCode } from "../../support/errors.ts";
import { masksOf, profilesOf, taskOf } from "../../support/rows.ts";

const db = drizzle(env.DB);
const profiles = createProfileRegistry(db);
const NAME = { task: "demo", id: "anna" };
const UNKNOWN = { task: "nothing", id: "anna" };
const parts = (seed: number, labelBias: Uint8Array | null = null) => ({ masks: masksOf(seed), labelBias });

beforeEach(() => createTaskRegistry(db).put(taskOf(), undefined, "keep"));

describe("listing", () => {
  it("returns profiles by id, page by page, filtered by prefix", async () => {
    await createPush(db)(taskOf(), [...profilesOf(5), { id: "other", ...parts(9) }]);
    const first = await profiles.list("demo", { limit: 3, after: "" }, "demo-");
    expect(first.items.map(({ id }) => id)).toEqual(["demo-000", "demo-001", "demo-002"]);
    const last = await profiles.list("demo", { limit: 3, after: first.next ?? "" }, "demo-");
    expect(last.items.map(({ id }) => id)).toEqual(["demo-003", "demo-004"]);
    expect(last.next).toBeNull();
    expect((await profiles.list("demo", { limit: 9, after: "" }, "")).items).toHaveLength(6);
    expect((await profiles.list("demo", { limit: 9, after: "" }, "o")).items).toHaveLength(1);
    await expect(profiles.list("nothing", { limit: 9, after: "" }, "")).rejects.toThrow(errorWithCode("unknown_task"));
  });
});

describe("listing large profiles", () => {
  it.each(["masks", "labelBias"])("returns as many as fit in memory, and a cursor for the rest: %s", async (part) => {
    await createPush(db)(
      taskOf(),
      profilesOf(5).map((profile) => ({ ...profile, [part]: new Uint8Array(1_600_000) })),
    );
    const first = await profiles.list("demo", { limit: 100, after: "" }, "");
    expect(first).toMatchObject({ items: [{ id: "demo-000" }, { id: "demo-001" }], next: "demo-001" });
  });
});

describe("writing", () => {
  it("creates, replaces and counts generations", async () => {
    const labelBias = Uint8Array.of(1, 2, 255);
    expect(await profiles.put(NAME, parts(1, labelBias), 1, 0)).toEqual({ generation: 1, created: true });
    expect(await profiles.get(NAME)).toMatchObject({ ...NAME, ...parts(1, labelBias), generation: 1 });
    expect(await profiles.put(NAME, parts(2), 1, 1)).toEqual({ generation: 2, created: false });
    expect(await profiles.put(NAME, parts(3), 1, "any")).toEqual({ generation: 3, created: false });
    expect(await profiles.get(NAME)).toMatchObject({ ...parts(3), generation: 3 });
  });

  it.each([[0 as const], [1], [3]])(
    "rejects a writer who expects generation %d of a profile at generation 2",
    async (expected) => {
      await profiles.put(NAME, parts(1), 1, undefined);
      await profiles.put(NAME, parts(2), 1, undefined);
      const put = profiles.put(NAME, parts(9), 1, expected);
      await expect(put).rejects.toThrow(errorWithCode("generation_mismatch"));
      await expect(put).rejects.toMatchObject({ facts: { generation: 2 } });
      expect(await profiles.get(NAME)).toMatchObject(parts(2));
    },
  );

  it("rejects parts that were checked against an older generation of the task", async () => {
    await createTaskRegistry(db).put(taskOf(), undefined, "keep");
    await expect(profiles.put(NAME, parts(1), 1, undefined)).rejects.toThrow(errorWithCode("write_conflict"));
    await expect(profiles.put(UNKNOWN, parts(1), 1, undefined)).rejects.toThrow(errorWithCode("unknown_task"));
  });

  it("accepts exactly one of many concurrent writers at the same generation", async () => {
    await profiles.put(NAME, parts(1), 1, 0);
    const raced = await Promise.allSettled([2, 3, 4, 5].map((seed) => profiles.put(NAME, parts(seed), 1, 1)));
    expect(raced.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await profiles.get(NAME)).generation).toBe(2);
  });
});

describe("deleting", () => {
  it("deletes the history, and continues the generations when the profile is created again", async () => {
    await profiles.put(NAME, parts(1), 1, undefined);
    await profiles.put(NAME, parts(2), 1, undefined);
    await expect(profiles.delete(NAME, 1)).rejects.toThrow(errorWithCode("generation_mismatch"));
    expect(await profiles.delete(NAME, 2)).toBe(3);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM profile_history").first("n")).toBe(0);
    await expect(profiles.get(NAME)).rejects.toThrow(errorWithCode("unknown_profile"));
    await expect(profiles.delete(NAME, undefined)).rejects.toThrow(errorWithCode("unknown_profile"));
    await expect(profiles.delete(NAME, 3)).rejects.toThrow(errorWithCode("generation_mismatch"));
    await expect(profiles.delete(UNKNOWN, undefined)).rejects.toThrow(errorWithCode("unknown_task"));
    expect(await profiles.put(NAME, parts(1), 1, 0)).toEqual({ generation: 4, created: true });
    expect(await env.DB.prepare("SELECT count(*) AS n FROM tombstones").first("n")).toBe(0);
  });
});
