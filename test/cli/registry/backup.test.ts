import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { measureFile } from "../../../cli/registry/backup-files.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { masksOf, POOLED_SHAPE, pooledAdapterOf, profilesFile, profilesOf, taskFor } from "../../support/rows.ts";
import { runCli } from "../../support/run-cli.ts";
import { makeTempFolder, removeTempFolder } from "../../support/temp-folders.ts";
import { type RunningWorker, startWorker } from "../../support/worker.ts";

const task = taskFor(await readBundle(DEFAULT_BUNDLE));
let from: RunningWorker;
let to: RunningWorker;
let folder: string;
let copy: string;

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

const runOn = (worker: RunningWorker, ...args: string[]) =>
  runCli(args, { XPEFT_URL: String(worker.url), XPEFT_KEY: worker.adminKey, NO_COLOR: "1" });

const exported = async (worker: RunningWorker, name: string) => {
  const [file, profiles] = await Promise.all(["", "/export"].map((end) => worker.get(`/v1/tasks/${name}${end}`)));
  return [file?.status, await file?.text(), await profiles?.text()];
};

beforeAll(async () => {
  folder = await makeTempFolder("xpeft-backup-");
  [from, to] = await Promise.all([startWorker(), startWorker()]);
  await from.push(task, profilesOf(20));
  const pooled = { ...task, name: "other", masks: masksOf(0, POOLED_SHAPE), adapter: pooledAdapterOf(1) };
  await from.push(pooled, profilesOf(3, POOLED_SHAPE));
  const written = await runOn(from, "backup", join(folder, "whole"));
  expect(written).toMatchObject({
    code: 0,
    stderr: "",
    stdout: expect.stringMatching(/^demo: 20 profiles\nother: 3 profiles\n/),
  });
});
afterAll(async () => {
  await Promise.all([from.close(), to.close()]);
  await removeTempFolder(folder);
});
beforeEach(async () => {
  copy = join(folder, crypto.randomUUID());
  await cp(join(folder, "whole"), copy, { recursive: true });
});

it("restores tasks and profiles to another Worker byte for byte, and skips unchanged ones", async () => {
  expect(await runOn(to, "restore", copy, "demo")).toMatchObject({
    code: 0,
    stdout: "demo, generation 1: 20 created, 0 replaced, 0 unchanged, 0 failed.\n",
  });
  expect(await exported(to, "demo")).toEqual(await exported(from, "demo"));
  expect((await to.get("/v1/tasks/other")).status).toBe(404);
  await to.push(task, [...profilesOf(20), { id: "later", masks: masksOf(50), labelBias: null }]);
  const again = await runOn(to, "restore", copy, "--replace");
  expect(again.stdout).toMatch(/^demo, .* 0 created, 0 replaced, 20 unchanged, 0 failed\.\nother, .* 3 created/);
  expect(await exported(to, "other")).toEqual(await exported(from, "other"));
  expect(await (await to.get("/v1/tasks/other")).json()).toMatchObject({ adapter: base64(pooledAdapterOf(1)) });
  // The head is the same, so no profile must be deleted.
  expect((await to.get("/v1/profiles/demo/later")).status).toBe(200);
  await to.request("DELETE", "/v1/profiles/demo/later");
});

it("undoes all changes since the backup", async () => {
  await runOn(to, "restore", copy);
  const head = task.head.map((value) => -value);
  await to.request("DELETE", "/v1/tasks/demo?profiles=delete");
  await to.push({ ...task, head }, profilesOf(2));
  const rejected = await runOn(to, "restore", copy, "demo");
  expect(rejected).toMatchObject({ code: 1, stderr: expect.stringMatching(/^task_has_profiles: .*\n {2}\S/) });
  expect((await runOn(to, "restore", copy, "demo", "--replace")).code).toBe(0);
  expect(await exported(to, "demo")).toEqual(await exported(from, "demo"));
});

it("names the head of its profiles, so they are not pushed into a task with another head", async () => {
  await to.request("DELETE", "/v1/tasks/demo?profiles=delete");
  await to.push({ ...task, head: task.head.map((value) => -value) }, []);
  const profiles = join(copy, "demo", "profiles.ndjson");
  const rejected = await runOn(to, "profiles", "push", "demo", profiles);
  expect(rejected).toMatchObject({ code: 1, stdout: "0 created, 0 replaced, 0 unchanged, 20 failed.\n" });
  expect(rejected.stderr).toMatch(/profiles\.ndjson:1: head_mismatch: .*\n {2}\S/);
  // A backup of an earlier version names no head.
  const lines = (await readFile(profiles, "utf8")).replaceAll(/"headHash":"[0-9a-f]{32}",/g, "");
  expect(lines).toBe(profilesFile("demo", profilesOf(20)));
  await writeFile(profiles, lines);
  const index = join(copy, "backup.json");
  const { bytes, sha256 } = await measureFile(copy, "demo/profiles.ndjson");
  const changed = JSON.parse(await readFile(index, "utf8"));
  Object.assign(changed.tasks[0].files.profiles, { bytes, sha256 });
  await writeFile(index, JSON.stringify(changed));
  expect((await runOn(to, "restore", copy, "demo")).stdout).toMatch(/: 20 created, 0 replaced, 0 unchanged, 0 failed/);
  expect(await exported(to, "demo")).toEqual(await exported(from, "demo"));
});

it("writes nothing of a damaged backup, and reports the file", async () => {
  await to.request("DELETE", "/v1/tasks/demo?profiles=delete");
  expect((await runOn(to, "restore", copy, "--check")).stdout).toBe("All 4 files match their checksums.\n");
  const path = join(copy, "other", "profiles.ndjson");
  const bytes = await readFile(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const damaged = await runOn(to, "restore", copy);
  expect(damaged.code).toBe(1);
  expect(damaged.stderr).toMatch(/other\/profiles\.ndjson is damaged: .*\n {2}Nothing was written/);
  await rm(path);
  expect((await runOn(to, "restore", copy, "--check")).stderr).toContain("other/profiles.ndjson is missing");
  expect((await to.get("/v1/tasks/demo")).status).toBe(404);
});

it("reports an invalid folder or task", async () => {
  expect((await runOn(from, "backup", copy)).stderr).toContain("already has a backup");
  const inFile = join(copy, "backup.json", "monday");
  expect(await runOn(from, "backup", inFile)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^The folder \S+monday cannot be created\.\n {2}because: ENOTDIR.*\n {2}Name a new folder/,
    ),
  });
  expect((await runOn(to, "restore", copy, "--check", "--replace")).code).toBe(2);
  expect((await runOn(to, "restore", copy, "nothing")).stderr).toContain(
    'has no task "nothing".\n  Its tasks are: demo, other.',
  );
  const index = join(copy, "backup.json");
  await writeFile(index, (await readFile(index, "utf8")).replace("other/task.json", "../task.json"));
  expect((await runOn(to, "restore", copy)).stderr).toContain("backup.json is damaged");
  await rm(index);
  expect((await runOn(to, "restore", copy)).stderr).toContain("is not a complete backup");
});
