import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { withDatabase } from "../../../cli/database.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { parseProfile } from "../../../src/profiles/file-format.ts";
import { profileTaskOf } from "../../../src/profiles/profile-task.ts";
import { createProfileStore } from "../../../src/storage/profile-store.ts";
import { createPush } from "../../../src/storage/push.ts";
import { examplesOf, jsonLines, withProfile } from "../../support/examples.ts";
import { migrateLocally } from "../../support/local-worker.ts";
import { interrupt, start } from "../../support/processes.ts";
import { profilesOf, taskFile, taskFor } from "../../support/rows.ts";
import { runCli, withoutProgress } from "../../support/run-cli.ts";
import { makeTempFolder, removeTempFolder } from "../../support/temp-folders.ts";

const bundle = await readBundle(DEFAULT_BUNDLE);
const task = taskFor(bundle, { labels: ["low", "high"] });
const profileTask = await profileTaskOf(task);
const EXAMPLES = examplesOf(6);
/** The task's default masks label them right, so there is nothing to learn. */
const NO_GAIN = examplesOf(2);
let folder: string;
let state: string;
let out: string;

const COMMAND = ["learn", "demo"];
const QUICK = ["--epochs", "2", "--start", "default"];
const local = () => ["--persist-to", state];
const learn = async (...args: string[]) => withoutProgress(await runCli([...COMMAND, ...args, ...local()]));

async function write(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const rowOf = async (profile: string) =>
  await withDatabase({ persistTo: state }, async (db) =>
    (await createProfileStore(db).read("demo", [profile], null)).profiles.get(profile),
  );

const learnt = async () =>
  (await readFile(out, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => parseProfile(line, profileTask, bundle));

beforeAll(async () => {
  folder = await makeTempFolder("xpeft-learn-");
  state = join(folder, "state");
  await migrateLocally(state);
  await withDatabase({ persistTo: state }, (db) => createPush(db)(task, profilesOf(2)));
  const other = { ...task, head: task.head.map((value) => -value) };
  await write("lines.jsonl", jsonLines(EXAMPLES));
  await write("wrong.csv", "text,rating\na,1\n");
  await write("empty.csv", "");
  await write("letters.csv", "profile,text,label\nZoë,a river,low\nZoë,an engine,high\n");
  await write("unknown.csv", "text,label\na river,low\na boat,middle\n");
  await write("other.json", taskFile(other));
  await write("named.json", taskFile({ ...task, name: "named" }));
});
afterAll(() => removeTempFolder(folder));

beforeEach(() => {
  out = join(folder, `${crypto.randomUUID()}.ndjson`);
});

it("shows what learning a CSV file would gain, and writes nothing", async () => {
  const lines = EXAMPLES.map(({ text, label }) => `"${text}, it said ""here""",${label}`);
  const path = await write("quoted.csv", `\uFEFFtext,label\r\n${lines.join("\r\n")}\r\n`);
  const { code, stdout, stderr } = await learn("new", path, "--epochs", "2");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^demo\/new: candidate "(head|masks)" won: .*\n/);
  expect(stdout).toMatch(/ held-out accuracy [\d.]+ of the start, [\d.]+ learnt; .* \(6 texts\); .*(gain)/);
  expect(stdout).toMatch(/ row of \d+ bytes, learnt in [\d.]+ s; nothing was written: add --push or --out\n$/);
  expect(await rowOf("new")).toBeUndefined();
});

it("writes the row at its next generation each time, and the same profile without a database", async () => {
  const path = join(folder, "lines.jsonl");
  const first = await learn("me", path, ...QUICK, "--push");
  expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("created, generation 1\n"), stderr: "" });
  const file = await write("task.json", taskFile(task));
  const again = await learn("me", path, ...QUICK, "--push", "--out", out, "--task-file", file);
  expect(again).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`replaced, generation 2; appended to ${out}\n`),
  });
  const alone = withoutProgress(await runCli([...COMMAND, "other", path, ...QUICK, "--out", out, "--task-file", file]));
  expect(alone).toMatchObject({ code: 0, stderr: "" });
  const row = await rowOf("me");
  expect(row).toMatchObject({ generation: 2 });
  const parts = { masks: row?.masks, labelBias: row?.labelBias };
  expect(await learnt()).toEqual([
    { id: "me", ...parts },
    { id: "other", ...parts },
  ]);
});

it("learns a profile for some labels in a database, and keeps them", async () => {
  const path = join(folder, "lines.jsonl");
  const named = await learn("few", path, ...QUICK, "--push", "--known-labels", "high,low");
  expect(named).toMatchObject({ code: 0, stderr: "" });
  // Known labels are the last part.
  expect((await rowOf("few"))?.labelBias?.at(-1)).toBe(3);
  await learn("few", path, ...QUICK, "--push");
  expect((await rowOf("few"))?.labelBias?.at(-1)).toBe(3);
  const unknown = await learn("few", path, ...QUICK, "--known-labels", "high");
  expect(unknown).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/lines\.jsonl:1: The profile knows no label "low"\..*\n {2}.*--known-labels/),
  });
});

it('leaves profiles as they are if the start "auto" gains nothing, unless --force', async () => {
  const path = await write("no-gain.jsonl", jsonLines([...withProfile("demo-001", NO_GAIN)]));
  const before = await rowOf("demo-001");
  const args = ["--all", path, "--epochs", "2", "--out", out];
  const left = await learn(...args, "--push");
  expect(left).toMatchObject({ code: 0, stderr: "" });
  expect(left.stdout).toMatch(
    /; no gain\n.*nothing was written: there is no gain, .* With --push or --out, add --force to replace it\n$/,
  );
  expect([await rowOf("demo-001"), await readFile(out, "utf8")]).toEqual([before, ""]);
  expect((await learn(...args)).stdout).toContain("add --force to replace it\n");
  const forced = await learn(...args, "--push", "--force");
  expect(forced.stdout).toContain(`replaced, generation ${(before?.generation ?? 0) + 1}; appended to ${out}\n`);
});

it("learns every profile of a file, reports those that fail, and resumes after a truncated line", async () => {
  const path = await write(
    "many.jsonl",
    jsonLines([
      ...withProfile("a", EXAMPLES),
      ...withProfile("one-label", examplesOf(3, ["low", "low"])),
      ...withProfile("odd-label", [...EXAMPLES, { text: "A text", label: "middle" }]),
      ...withProfile("b", EXAMPLES),
    ]),
  );
  const all = () => learn("--all", path, ...QUICK, "--out", out, "--push");
  const once = await all();
  expect(once.code).toBe(1);
  expect(once.stdout).toMatch(/^demo\/a: candidate .*\n(?: .*\n)+demo\/b: candidate /);
  expect(once.stderr).toMatch(
    /^demo\/one-label: one_label: .*\n {2}\S.*\ndemo\/odd-label: unknown_label: .*jsonl:16: /,
  );
  expect(once.stderr).toMatch(/\n2 of 4 profiles were not learnt: one-label, odd-label\.\n {2}\S.*\n$/);
  const [a, b] = await learnt();
  expect([a?.id, b?.id, (await rowOf("b"))?.generation]).toEqual(["a", "b", 1]);

  const whole = await readFile(out, "utf8");
  await writeFile(out, whole.slice(0, -40));
  const twice = await all();
  expect(twice.code).toBe(1);
  expect(twice.stderr).toContain("the last line was incomplete");
  expect(twice.stdout).toMatch(/^demo\/a: skipped, because .* has it already\ndemo\/b: candidate /);
  expect(await readFile(out, "utf8")).toBe(whole);
  expect([(await rowOf("a"))?.generation, (await rowOf("b"))?.generation]).toEqual([1, 2]);
});

it("stops on Ctrl-C, says how to resume, and keeps the finished profiles", async () => {
  const path = await write(
    "long.jsonl",
    jsonLines([...withProfile("a", EXAMPLES), ...withProfile("b", examplesOf(150))]),
  );
  const args = ["--all", path, "--epochs", "10", "--start", "default", "--out", out, ...local()];
  const { child, output } = start(["cli/xpeft.ts", ...COMMAND, ...args]);
  await expect.poll(() => output.stdout).toContain("appended");
  await sleep(500);
  expect(await interrupt(child)).toBe(130);
  expect(output.stderr).toContain(`To resume, run the same command again: profiles in ${out} are skipped.`);
  expect((await learnt()).map(({ id }) => id)).toEqual(["a"]);
});

it("learns only the named profile from a file with others", async () => {
  const path = await write(
    "mixed.jsonl",
    jsonLines([...withProfile("a", examplesOf(3, ["low", "low"])), ...withProfile("b", EXAMPLES)]),
  );
  expect((await learn("b", path, ...QUICK)).stdout).toContain("(6 texts)");
  expect(await learn("c", path, ...QUICK)).toMatchObject({ code: 1, stderr: expect.stringContaining('profile "c"') });
  await appendFile(path, jsonLines(EXAMPLES));
  expect(await learn("--all", path)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/mixed\.jsonl:10 has no profile/),
  });
});

it.concurrent.each<[string, string[], RegExp, number?]>([
  ["neither a profile nor --all", ["examples.csv"], /TASK PROFILE EXAMPLES/, 2],
  ["a file and --all", ["me", "examples.csv", "--all", "examples.csv"], /TASK PROFILE EXAMPLES/, 2],
  ["a column that is not there", ["me", "wrong.csv"], /wrong\.csv:1: there is no column "label"/],
  ["an empty file", ["me", "empty.csv"], /empty\.csv has no examples/],
  ["an unknown label", ["me", "unknown.csv"], /^unknown_label: .*unknown\.csv:3: /],
  ["a start that is not there", ["me", "lines.jsonl", "--start", "nobody"], /^unknown_profile: .*nobody.*\n.*--start/],
  [
    "a start that needs a database, without one",
    ["me", "lines.jsonl", "--task-file", "other.json", "--start", "own"],
    /--task-file out/,
  ],
  [
    "a task that the file does not have",
    ["me", "lines.jsonl", "--task-file", "named.json"],
    /named\.json has the task "named"/,
  ],
  ["another task than the file's", ["me", "lines.jsonl", "--task-file", "other.json", "--push"], /another task "demo"/],
  ["an id that cannot be one", ["m e", "lines.jsonl"], /"m e" is not a profile's id/, 2],
  ["an id of other letters", ["Zoë", "lines.jsonl"], /"Zoë" is not a profile's id\.\n {2}.*such as Zoe for Zoë/, 2],
  ["other letters in a file's ids", ["--all", "letters.csv"], /letters\.csv:2: profile: .*\n {2}.*such as Zoe for Zoë/],
  ["--force with a start", ["me", "lines.jsonl", "--start", "default", "--force"], /--force is for --start auto/, 2],
  ["--force without a database", ["me", "lines.jsonl", "--task-file", "other.json", "--force"], /--force is for/, 2],
  ["no known label", ["me", "lines.jsonl", "--known-labels", " ,"], /Name one label or more/, 2],
  ["no passes", ["me", "lines.jsonl", "--epochs", "0"], /whole number from 1/, 2],
  ["more passes than a Worker takes", ["me", "lines.jsonl", "--epochs", "1001"], /from 1 to 1000/, 2],
])("reports %s", async (_, args, message, status = 1) => {
  const placed = args.map((arg) => (/\.(csv|jsonl|json)$/.test(arg) ? join(folder, arg) : arg));
  const database = args.includes("--task-file") && !args.includes("--push") ? [] : local();
  const { code, stdout, stderr } = await runCli([...COMMAND, ...placed, ...database]);
  expect({ code, stdout }).toEqual({ code: status, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain("    at ");
});

it("rejects an option without effect", async () => {
  const file = await write("task.json", taskFile(task));
  const path = join(folder, "lines.jsonl");
  expect(await learn("me", path, "--task-file", file)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--persist-to"),
  });
});
