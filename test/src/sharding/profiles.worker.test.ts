import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { bundleAssets } from "../../../functions/platform/assets.ts";
import { readManifest } from "../../../src/bundle/files.ts";
import { readLineGroups } from "../../../src/lib/ndjson.ts";
import { importProfiles } from "../../../src/sharding/import.ts";
import { createShardedHistory, createShardedProfileRegistry } from "../../../src/sharding/profiles.ts";
import { shardOf } from "../../../src/sharding/shards.ts";
import { createShardedTaskRegistry } from "../../../src/sharding/tasks.ts";
import { exportProfiles } from "../../../src/storage/export.ts";
import type { LineResult } from "../../../src/storage/import.ts";
import { errorWithCode } from "../../support/errors.ts";
import { idsIn } from "../../support/ids.ts";
import { headHashOf, masksOf, profilesFile, profilesOf, taskFor } from "../../support/rows.ts";
import { DATABASES, prepareShards, shardsOver } from "../../support/shards.ts";

const shards = shardsOver(DATABASES);
const tasks = createShardedTaskRegistry(shards);
const profiles = createShardedProfileRegistry(shards);
const history = createShardedHistory(shards);
const bundle = await readManifest(bundleAssets(env.ASSETS).read);

const name = (id: string) => ({ task: "demo", id });
const parts = (seed: number) => ({ masks: masksOf(seed), labelBias: null });

async function importText(text: string, dryRun = false): Promise<LineResult[]> {
  const lines = readLineGroups(new Blob([text]).stream(), { maxBytes: 1e6, maxLines: 10, groupBytes: 1e6 });
  const results: LineResult[] = [];
  const options = { dryRun, allow: () => {} };
  for await (const group of await importProfiles(shards, await tasks.get("demo"), bundle, lines, options))
    results.push(...group);
  return results;
}

async function exported(prefix = ""): Promise<string> {
  let text = "";
  for await (const part of exportProfiles({ tasks, profiles }, "demo", { prefix })) text += part;
  return text;
}

beforeEach(async () => {
  await prepareShards();
  await tasks.put(taskFor(bundle), undefined, "keep");
});

describe.each([0, 1])("a profile of database %i", (number) => {
  const [id = ""] = idsIn(number, 1);
  const countRows = async (table: string) =>
    await Promise.all(
      DATABASES.map(
        async (database) =>
          (await database.prepare(`SELECT * FROM ${table} WHERE id = ?`).bind(id).all()).results.length,
      ),
    );
  const expectedRows = (rows: number) => (number === 0 ? [rows, 0] : [0, rows]);

  it("is stored with its history and its tombstone in that database only", async () => {
    expect(await profiles.put(name(id), parts(1), 1, 0)).toEqual({ generation: 1, created: true });
    expect(await profiles.put(name(id), parts(2), 1, 1)).toEqual({ generation: 2, created: false });
    expect(await history.rollBack(name(id), 1, 2)).toBe(3);
    expect((await profiles.get(name(id))).masks).toEqual(masksOf(1));
    expect((await history.read(name(id))).earlier.map(({ generation }) => generation)).toEqual([2, 1]);
    expect(await countRows("profiles")).toEqual(expectedRows(1));
    expect(await countRows("profile_history")).toEqual(expectedRows(2));
    expect(await profiles.delete(name(id), 3)).toBe(4);
    expect(await countRows("tombstones")).toEqual(expectedRows(1));
    expect(await profiles.put(name(id), parts(1), 1, 0)).toEqual({ generation: 5, created: true });
  });

  it("accepts one of several concurrent writers at the same generation", async () => {
    await profiles.put(name(id), parts(1), 1, 0);
    const writes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, seed) => profiles.put(name(id), parts(seed), 1, 1)),
    );
    expect(writes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const write of writes) {
      if (write.status === "rejected") expect(write.reason).toMatchObject({ code: "generation_mismatch" });
    }
  });

  it("is rejected if the task was written meanwhile", async () => {
    await tasks.put(taskFor(bundle), undefined, "keep");
    await expect(profiles.put(name(id), parts(1), 1, undefined)).rejects.toThrow(errorWithCode("write_conflict"));
  });

  it("that does not exist is reported, like an unknown task", async () => {
    await expect(profiles.get(name(id))).rejects.toThrow(errorWithCode("unknown_profile"));
    await expect(profiles.delete(name(id), undefined)).rejects.toThrow(errorWithCode("unknown_profile"));
    await expect(history.read(name(id))).rejects.toThrow(errorWithCode("unknown_profile"));
    await expect(profiles.get({ task: "nothing", id })).rejects.toThrow(errorWithCode("unknown_task"));
  });
});

describe("all profiles", () => {
  it("are listed by id over all databases, page by page", async () => {
    await importText(profilesFile("demo", profilesOf(25)));
    const seen: string[] = [];
    let after: string | null = "";
    while (after !== null) {
      const page = await profiles.list("demo", { limit: 4, after }, "");
      expect(page.items.length).toBeLessThanOrEqual(4);
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    }
    expect(seen).toEqual(profilesOf(25).map(({ id }) => id));
    const filtered = await profiles.list("demo", { limit: 100, after: "" }, "demo-01");
    expect(filtered.items).toHaveLength(10);
    await expect(profiles.list("nothing", { limit: 4, after: "" }, "")).rejects.toThrow(errorWithCode("unknown_task"));
  });

  it("are imported into their databases, reported in line order, and exported as imported", async () => {
    const text = profilesFile("demo", profilesOf(25), await headHashOf(taskFor(bundle)));
    const planned = await importText(text, true);
    expect((await profiles.list("demo", { limit: 9, after: "" }, "")).items).toEqual([]);
    const results = await importText(`${text}not JSON\n`);
    expect(results.map(({ line }) => line)).toEqual(Array.from({ length: 26 }, (_, index) => index + 1));
    expect(results.slice(0, 25)).toEqual(planned);
    expect(results.every(({ status }, index) => status === (index < 25 ? "created" : "failed"))).toBe(true);
    expect((await importText(text)).every(({ status }) => status === "unchanged")).toBe(true);
    expect(await exported()).toBe(text);
    for (const [number, database] of DATABASES.entries()) {
      const { results } = await database.prepare("SELECT id FROM profiles ORDER BY id").all<{ id: string }>();
      const expected = profilesOf(25).filter(({ id }) => shardOf(name(id), 2) === number);
      expect(results.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    }
  });

  it("are not imported or exported while the databases are out of step", async () => {
    await env.DB.exec("UPDATE tasks SET generation = 2");
    await expect(importText(profilesFile("demo", profilesOf(4)))).rejects.toThrow(errorWithCode("shards_out_of_step"));
    await expect(exported()).rejects.toThrow(errorWithCode("shards_out_of_step"));
  });
});
