import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { beforeEach, expect, it } from "vitest";
import { createProfileHistory } from "../../../src/storage/history.ts";
import { writeLines } from "../../../src/storage/import-write.ts";
import { createProfileStore } from "../../../src/storage/profile-store.ts";
import { createProfileRegistry } from "../../../src/storage/profiles.ts";
import { createPush } from "../../../src/storage/push.ts";
import { createTaskRegistry } from "../../../src/storage/tasks.ts";
import { masksOf, profilesOf, taskOf } from "../../support/rows.ts";

const db = drizzle(env.DB);
const profiles = createProfileRegistry(db);
const tasks = createTaskRegistry(db);
const NO_MASKS = new Uint8Array();
const TASK = taskOf({ masks: NO_MASKS });
const NAME = { task: "demo", id: "anna" };

beforeEach(() => tasks.put(TASK, undefined, "keep"));

it("stores a default profile and profiles without masks, however they are written", async () => {
  const parts = { masks: NO_MASKS, labelBias: Uint8Array.of(1, 2, 3) };
  expect((await tasks.get("demo")).masks).toEqual(NO_MASKS);
  await profiles.put(NAME, parts, 1, undefined);
  const line = { line: 1, profile: { id: "bert", ...parts }, expected: undefined };
  expect(await writeLines(db, await tasks.get("demo"), [line], false)).toMatchObject([{ status: "created" }]);
  expect(await writeLines(db, await tasks.get("demo"), [line], false)).toMatchObject([{ status: "unchanged" }]);
  await createPush(db)(TASK, [{ id: "carl", ...parts }]);
  const { task, profiles: rows } = await createProfileStore(db).read("demo", ["anna", "bert", "carl"], null);
  expect(task?.masks).toEqual(NO_MASKS);
  expect([...rows.values()].map(({ id, masks, labelBias }) => ({ id, masks, labelBias }))).toEqual(
    ["anna", "bert", "carl"].map((id) => ({ id, ...parts })),
  );
});

it("rolls back to a generation without masks", async () => {
  await profiles.put(NAME, { masks: NO_MASKS, labelBias: null }, 1, undefined);
  await profiles.put(NAME, { masks: masksOf(1), labelBias: null }, 1, undefined);
  await createProfileHistory(db).rollBack(NAME, 1, undefined);
  expect(await profiles.get(NAME)).toMatchObject({ masks: NO_MASKS, generation: 3 });
});

it("lists as many profiles with masks as fit in memory, even if the task's default has none", async () => {
  const [empty, ...others] = profilesOf(5);
  const large = others.map((profile) => ({ ...profile, masks: new Uint8Array(1_600_000) }));
  await createPush(db)(TASK, [...(empty ? [{ ...empty, masks: NO_MASKS }] : []), ...large]);
  const first = await profiles.list("demo", { limit: 100, after: "" }, "");
  expect(first.items.map(({ id }) => id)).toEqual(["demo-000", "demo-001"]);
  expect(first.next).toBe("demo-001");
});
