import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withDatabase } from "../../../cli/database.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { parseTask, taskFileFields } from "../../../src/profiles/file-format.ts";
import { createPush } from "../../../src/storage/push.ts";
import { createTaskRegistry } from "../../../src/storage/tasks.ts";
import { jsonLines } from "../../support/examples.ts";
import { migrateLocally } from "../../support/local-worker.ts";
import { profilesOf, taskFor } from "../../support/rows.ts";
import { runCli, withoutProgress } from "../../support/run-cli.ts";
import { TICKETS } from "../../support/task-examples.ts";
import { makeTempFolder, removeTempFolder } from "../../support/temp-folders.ts";
import { type RunningWorker, startWorker } from "../../support/worker.ts";

let folder: string;
let state: string;
let tickets: string;
let worker: RunningWorker;

beforeAll(async () => {
  folder = await makeTempFolder("xpeft-learn-task-");
  state = join(folder, "state");
  await migrateLocally(state);
  tickets = join(folder, "tickets.jsonl");
  await writeFile(tickets, jsonLines(TICKETS));
  worker = await startWorker();
});
afterAll(async () => {
  await worker.close();
  await removeTempFolder(folder);
});

const learnTask = async (...args: string[]) => withoutProgress(await runCli(["learn-task", ...args]));
const local = () => ["--persist-to", state];
const storedTask = async (name: string) =>
  await withDatabase({ persistTo: state }, async (db) => await createTaskRegistry(db).get(name));

it("says what a task would be like, and writes nothing", async () => {
  const { code, stdout, stderr } = await learnTask("desk", tickets);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(
    /^desk: 3 labels, 24 texts; held-out accuracy 0\.\d+, and 0\.333 for always the most frequent/,
  );
  expect(stdout).toMatch(
    /\n {2}abstain below the score 0\.\d+: \d+% of the held-out texts are answered, \d+% of these/,
  );
  expect(stdout).toMatch(/\n {2}nothing was written: add --push or --out\n$/);
});

it("writes the task to the database and to files, and a Worker learns the same", async () => {
  const out = join(folder, "out");
  const options = ["--labels", "account, billing,shipping", "--max-tokens", "24", "--seed", "2"];
  const { code, stdout, stderr } = await learnTask("desk", tickets, ...options, "--push", "--out", out, ...local());
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain(`created, generation 1; written to ${out}`);
  const file = parseTask(await readFile(join(out, "task.json"), "utf8"), await readBundle(DEFAULT_BUNDLE));
  expect(file).toMatchObject({ labels: ["account", "billing", "shipping"], maxTokens: 24, masks: new Uint8Array() });
  expect(taskFileFields(await storedTask("desk"))).toEqual(taskFileFields(file));
  const pushed = await runCli(["push", "--task", join(out, "task.json"), ...local()]);
  expect(pushed).toMatchObject({ code: 0, stdout: "Pushed task desk.\n" });

  const remote = join(folder, "remote");
  const there = await learnTask(
    "desk",
    tickets,
    ...options,
    "--push",
    "--out",
    remote,
    "--url",
    String(worker.url),
    "--key",
    worker.adminKey,
  );
  expect(there).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("created, generation 1") });
  expect(await readFile(join(remote, "task.json"), "utf8")).toBe(await readFile(join(out, "task.json"), "utf8"));
  expect(await (await worker.get("/v1/tasks/desk")).json()).toEqual(taskFileFields(file));
});

it("replaces a task with profiles only with --replace", async () => {
  await learnTask("used", tickets, "--push", ...local());
  await withDatabase({ persistTo: state }, async (db) => createPush(db)(await storedTask("used"), profilesOf(1)));
  const rejected = await learnTask(
    "used",
    tickets,
    "--seed",
    "9",
    "--labels",
    "account,billing,shipping",
    "--push",
    ...local(),
  );
  expect(rejected).toMatchObject({ code: 1, stderr: expect.stringContaining("task_has_profiles") });
  const replaced = await learnTask(
    "used",
    tickets,
    "--labels",
    "account,billing,shipping",
    "--push",
    "--replace",
    ...local(),
  );
  expect(replaced).toMatchObject({ code: 0, stdout: expect.stringContaining("replaced, generation 3") });
});

it("says what a task with profiles would be like, in a Worker too", async () => {
  await worker.push(taskFor(await readBundle(DEFAULT_BUNDLE)), profilesOf(1));
  const there = await learnTask("demo", tickets, "--url", String(worker.url), "--key", worker.adminKey);
  expect(there).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing was written") });
  expect((await worker.get("/v1/profiles/demo/demo-000")).status).toBe(200);
});

it("writes no task.json beside profiles of another head, or over a folder", async () => {
  const used = join(folder, "used");
  await mkdir(join(used, "task.json"), { recursive: true });
  expect(await learnTask("desk", tickets, "--out", used)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/task\.json cannot be written\.\n.*\n {2}Name a file/),
  });
  await writeFile(join(used, "profiles.ndjson"), "");
  expect(await learnTask("desk", tickets, "--out", used)).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/has a profiles\.ndjson.*\n {2}Name another folder/),
  });
});

it("says that a task is no better than its most frequent label", async () => {
  const same = join(folder, "same.csv");
  const labels = ["x", "y", "y", "x", "x", "y"];
  await writeFile(same, `text,label\n${labels.map((label, n) => `The same words ${n},${label}\n`).join("")}`);
  expect((await learnTask("desk", same)).stdout).toContain("\n  the task is no better than that label alone: ");
  expect((await learnTask("desk", tickets)).stdout).not.toContain("no better");
});

it("names the line of a faulty example, and says what to do", async () => {
  const few = join(folder, "few.csv");
  await writeFile(few, "text,label\nI paid twice,billing\nThe bill is wrong,billing\nMy parcel is lost,shipping\n");
  expect(await learnTask("desk", few)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/too_few_examples: Label "shipping" has 1 different texts?;.*\n.*of each label/),
  });
  const { stderr } = await learnTask("desk", few, "--labels", "billing,other");
  expect(stderr).toContain(`unknown_label: ${few}:4: The task has no label "shipping"`);
});

it.each([
  ["--labels", "one"],
  ["--labels", "one,one"],
  ["--target-accuracy", "2"],
  ["--replace"],
  ["--bundle", "bundles/minilm-l6-v2", "--url", "http://localhost:1"],
  ["--max-tokens", "4"],
])("rejects %s %s as wrong usage", async (...options) => {
  expect(await learnTask("desk", tickets, ...options)).toMatchObject({ code: 2, stdout: "" });
});
