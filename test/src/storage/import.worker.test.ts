import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { beforeEach, describe, expect, it } from "vitest";
import { bundleAssets } from "../../../functions/platform/assets.ts";
import { readManifest } from "../../../src/bundle/files.ts";
import type { Bundle } from "../../../src/bundle/manifest.ts";
import { readLineGroups } from "../../../src/lib/ndjson.ts";
import type { NewProfile } from "../../../src/profiles/profile.ts";
import { importProfiles } from "../../../src/sharding/import.ts";
import { exportProfiles } from "../../../src/storage/export.ts";
import type { LineResult } from "../../../src/storage/import.ts";
import { createProfileRegistry } from "../../../src/storage/profiles.ts";
import { createPush } from "../../../src/storage/push.ts";
import { createTaskRegistry } from "../../../src/storage/tasks.ts";
import { errorWithCode } from "../../support/errors.ts";
import { headHashOf, masksOf, profilesFile, profilesOf, taskFor } from "../../support/rows.ts";
import { shardsOver } from "../../support/shards.ts";

const db = drizzle(env.DB);
const shards = shardsOver([env.DB]);
const profiles = createProfileRegistry(db);
let bundle: Bundle;

beforeEach(async () => {
  bundle = await readManifest(bundleAssets(env.ASSETS).read);
  await createTaskRegistry(db).put(taskFor(bundle), undefined, "keep");
});

async function importText(text: string, options: { dryRun?: boolean; maxLines?: number } = {}): Promise<LineResult[]> {
  const { dryRun = false, maxLines = 500 } = options;
  const lines = readLineGroups(new Blob([text]).stream(), { maxBytes: 10_000, maxLines, groupBytes: 600_000 });
  const results = await importProfiles(shards, await createTaskRegistry(db).get("demo"), bundle, lines, {
    dryRun,
    allow: () => {},
  });
  return (await Array.fromAsync(results)).flat();
}

const tasks = createTaskRegistry(db);
const exported = async (from = { tasks, profiles }) =>
  (await Array.fromAsync(exportProfiles(from, "demo", { prefix: "" }))).join("");
const file = (rows: NewProfile[], headHash?: string) => profilesFile("demo", rows, headHash);
const lineOf = (id: string, seed: number, generation?: number) =>
  `${JSON.stringify({ ...JSON.parse(file([{ id, masks: masksOf(seed), labelBias: null }])), generation })}\n`;

describe("importing", () => {
  it("writes rows that an export returns byte for byte", async () => {
    const biased = { id: "zoe", masks: masksOf(9), labelBias: Uint8Array.of(1, 128, 255) };
    const sorted = [...profilesOf(1200).sort((a, b) => (a.id < b.id ? -1 : 1)), biased];
    const text = file(sorted, await headHashOf(taskFor(bundle)));
    expect((await importText(text)).every(({ status }) => status === "created")).toBe(true);
    expect((await exported()) === text).toBe(true);
  });

  it("rejects a line that was trained with another head, and accepts the same head with another maxTokens", async () => {
    const [own, other] = [taskFor(bundle), taskFor(bundle, { head: taskFor(bundle).head.map((value) => -value) })];
    const lines = [
      file([{ id: "a", masks: masksOf(1), labelBias: null }], await headHashOf(own)),
      file([{ id: "b", masks: masksOf(2), labelBias: null }], await headHashOf(other)),
      file([{ id: "c", masks: masksOf(3), labelBias: null }]),
    ];
    const rejected = { line: 2, profile: "b", status: "failed", error: errorWithCode("head_mismatch") };
    expect(await importText(lines.join(""))).toMatchObject([{ status: "created" }, rejected, { status: "created" }]);
    await tasks.put({ ...own, maxTokens: 16 }, undefined, "keep");
    expect(await importText(lines.join(""))).toMatchObject([
      { status: "unchanged" },
      rejected,
      { status: "unchanged" },
    ]);
    expect((await exported()).match(/"profile":"."/g)).toEqual(['"profile":"a"', '"profile":"c"']);
  });

  it("exports each profile with its own head while pushes replace task and profiles", async () => {
    const rows = profilesOf(1100).sort((a, b) => (a.id < b.id ? -1 : 1));
    await createPush(db)(taskFor(bundle), rows);
    const other = taskFor(bundle, { head: taskFor(bundle).head.map((value) => -value) });
    const later = rows.map((row) => ({ ...row, masks: masksOf(50) }));
    let reads = 0;
    const list: typeof profiles.list = async (...query) => {
      const page = await profiles.list(...query);
      reads++;
      // The first page is read, but not its task. The export must read it again.
      if (reads === 1) await createPush(db)(other, later);
      if (reads === 3) await createPush(db)(taskFor(bundle), rows);
      return page;
    };
    const text = await exported({ tasks, profiles: { ...profiles, list } });
    expect(reads).toBe(4);
    const [own, others] = [await headHashOf(taskFor(bundle)), await headHashOf(other)];
    expect(text === file(later.slice(0, 1000), others) + file(rows.slice(1000), own)).toBe(true);
  });

  it("skips unchanged profiles, and reports each line's status", async () => {
    await importText(file(profilesOf(2)));
    const text = lineOf("demo-000", 1) + lineOf("demo-001", 77) + lineOf("new", 3);
    expect(await importText(text)).toEqual([
      { line: 1, profile: "demo-000", status: "unchanged", generation: 1 },
      { line: 2, profile: "demo-001", status: "replaced", generation: 2 },
      { line: 3, profile: "new", status: "created", generation: 1 },
    ]);
    expect(await profiles.get({ task: "demo", id: "demo-001" })).toMatchObject({ masks: masksOf(77), generation: 2 });
  });

  it("reports the same on a dry run, and writes nothing", async () => {
    await importText(file(profilesOf(2)));
    await profiles.delete({ task: "demo", id: "demo-001" }, undefined);
    const before = await exported();
    const text = lineOf("demo-000", 7) + lineOf("demo-001", 7);
    const reported = await importText(text, { dryRun: true });
    expect(await exported()).toBe(before);
    expect(await importText(text)).toEqual(reported);
    expect(reported.map((result) => "generation" in result && result.generation)).toEqual([2, 3]);
  });

  it("writes a line only if its generation matches", async () => {
    await importText(file(profilesOf(2)));
    const results = await importText(
      lineOf("demo-000", 7, 1) + lineOf("demo-001", 7, 0) + lineOf("a", 7, 0) + lineOf("b", 7, 3),
    );
    const mismatch = { status: "failed", error: errorWithCode("generation_mismatch") };
    expect(results).toMatchObject([{ status: "replaced" }, mismatch, { status: "created" }, mismatch]);
    expect((await profiles.get({ task: "demo", id: "demo-001" })).masks).toEqual(masksOf(2));
  });

  it("reports each line that it cannot write, and writes the others", async () => {
    const [first = "", last = ""] = file(profilesOf(2)).split("\n");
    const lines = [
      first,
      "not JSON",
      JSON.stringify({ ...JSON.parse(last), task: "other" }),
      JSON.stringify({ ...JSON.parse(last), masks: "AAAA" }),
      JSON.stringify({ ...JSON.parse(last), extra: 1 }),
      "x".repeat(10_001),
      last,
    ];
    const results = await importText(lines.join("\n"));
    expect(results.map((result) => (result.status === "failed" ? result.error.code : result.status))).toEqual([
      "created",
      "invalid_row",
      "mismatched_write",
      "invalid_mask",
      "invalid_row",
      "invalid_row",
      "created",
    ]);
    expect(results.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it("rejects a repeated profile, however far apart, unless its first line failed", async () => {
    const text =
      lineOf("a", 1) + lineOf("b", 1).replace('"masks":"', '"masks":"AAAA') + lineOf("b", 2) + lineOf("a", 2);
    const results = await importText(text, { maxLines: 1 });
    expect(results).toMatchObject([
      { profile: "a", status: "created" },
      { profile: "b", status: "failed", error: errorWithCode("invalid_mask") },
      { profile: "b", status: "created" },
      { profile: "a", status: "failed", error: errorWithCode("mismatched_write") },
    ]);
    expect((await profiles.get({ task: "demo", id: "a" })).masks).toEqual(masksOf(1));
  });

  it("can be repeated even if its lines state a generation", async () => {
    const text = lineOf("a", 1, 0) + lineOf("b", 1, 0);
    await importText(text);
    expect((await importText(text)).map(({ status }) => status)).toEqual(["unchanged", "unchanged"]);
  });

  it("rejects lines after a concurrent write of the task", async () => {
    const task = await createTaskRegistry(db).get("demo");
    await createTaskRegistry(db).put(taskFor(bundle), undefined, "keep");
    const lines = readLineGroups(new Blob([lineOf("a", 1)]).stream(), {
      maxBytes: 10_000,
      maxLines: 500,
      groupBytes: 600_000,
    });
    const results = await importProfiles(shards, task, bundle, lines, { dryRun: false, allow: () => {} });
    expect((await Array.fromAsync(results)).flat()).toMatchObject([{ error: errorWithCode("write_conflict") }]);
    expect(await exported()).toBe("");
  });
});
