import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../cli/files.ts";
import { lessonsOf } from "../support/lessons.ts";
import { run } from "../support/processes.ts";
import { masksOf, profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const bundle = await readBundle(DEFAULT_BUNDLE);
const task = taskFor(bundle, { labels: ["1", "2", "3"] });
const TEXT = "Senate passes bill after long night";

let worker: RunningWorker;
let folder: string;

const asked = (...args: string[]) =>
  run(["cli/xpeft.ts", ...args], { XPEFT_URL: String(worker.url), XPEFT_KEY: worker.adminKey, NO_COLOR: "1" });

/** What a command answers with `--json`, having succeeded. */
async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await asked(...args, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-remote-"));
  worker = await startWorker({ vars: { PUBLIC_PREDICT: "false" } });
}, 120_000);
afterAll(async () => {
  await worker.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => worker.push(task, profilesOf(3)));

describe("xpeft profiles", () => {
  it("lists them, by id and prefix, with what they weigh", async () => {
    expect(await json("profiles", "list", "demo")).toMatchObject([
      { profile: "demo-000", bytes: 156 },
      { profile: "demo-001" },
      { profile: "demo-002" },
    ]);
    const { stdout } = await asked("profiles", "list", "demo", "--prefix", "demo-002");
    expect(stdout).toMatch(/^profile +generation +bytes +written\ndemo-002 +\d+ +156 +\d{4}-\d\d-\d\dT\d\d:\d\dZ\n$/);
  });

  it("shows one, its masks drawn", async () => {
    const { stdout } = await asked("profiles", "show", "demo", "demo-001", "--masks");
    const rows = stdout.split("\n").filter((line) => /^\d (down|up {2}) [●·]{100}$/.test(line));
    expect(rows).toHaveLength(12);
    expect(rows[0]?.match(/●/g)).toHaveLength(50);
  });

  it("pulls what a push brings back, byte for byte", async () => {
    const path = join(folder, "pulled.ndjson");
    expect(await asked("profiles", "pull", "demo", "--out", path)).toMatchObject({ code: 0, stdout: "" });
    expect(await readFile(path, "utf8")).toBe(profilesFile("demo", profilesOf(3)));
    expect(await json("profiles", "delete", "demo", "demo-001")).toMatchObject({ profile: "demo-001" });
    expect(await json("profiles", "push", "demo", path)).toMatchObject({ created: 1, unchanged: 2, failed: 0 });
    const { stdout } = await asked("profiles", "pull", "demo", "--prefix", "demo-001");
    expect(stdout).toBe(profilesFile("demo", profilesOf(2).slice(1)));
  });

  it("names the file's line of each profile that was refused, and fails", async () => {
    const path = join(folder, "bad.ndjson");
    const bad = { id: "bad", masks: masksOf(5).with(0, 255), labelBias: null };
    await writeFile(path, `\n${profilesFile("demo", [...profilesOf(4), bad])}`);
    const { code, stdout, stderr } = await asked("profiles", "push", "demo", path, "--dry-run");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "Would be: 1 created, 0 replaced, 3 unchanged, 1 failed.\n" });
    expect(stderr).toMatch(/^\S+bad\.ndjson:6: mismatched_write: 54 adapters/);
    expect(await json("profiles", "list", "demo", "--prefix", "demo-003")).toEqual([]);
  });

  it("goes back to an earlier generation, if it is at the one that is said", async () => {
    const [before] = (await json("profiles", "list", "demo")) as { generation: number }[];
    const path = join(folder, "other.ndjson");
    await writeFile(path, profilesFile("demo", [{ id: "demo-000", masks: masksOf(77), labelBias: null }]));
    await json("profiles", "push", "demo", path);
    const earlier = String(before?.generation);
    const refused = await asked("profiles", "rollback", "demo", "demo-000", earlier, "--if-generation", earlier);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^generation_mismatch: .*\n {2}\S/);
    expect(await json("profiles", "rollback", "demo", "demo-000", earlier)).toMatchObject({ profile: "demo-000" });
    const { stdout } = await asked("profiles", "history", "demo", "demo-000");
    expect(stdout).toMatch(/^generation +bytes +written\n\d+ .* current\n/);
  });

  it("makes a token that predicts in the place of a key", async () => {
    const { stdout, stderr } = await asked("profiles", "token", "demo", "demo-001", "--ttl", "60");
    expect(stderr).toMatch(/^\d+ bytes, taken until /);
    const args = ["predict", "demo", TEXT, "--profile", "demo-001", "--key", stdout.trim()];
    expect((await asked(...args)).code).toBe(0);
  });
});

describe("xpeft tasks", () => {
  it("lists, pulls and deletes them", async () => {
    expect(await json("tasks", "list")).toMatchObject([{ task: "demo", labels: ["1", "2", "3"] }]);
    const { stdout } = await asked("tasks", "pull", "demo");
    expect(JSON.parse(stdout)).toEqual(JSON.parse(taskFile(task)));
    const refused = await asked("tasks", "delete", "demo");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^task_has_profiles: /);
    expect(await json("tasks", "delete", "demo", "--profiles")).toMatchObject({ task: "demo" });
    expect(await json("tasks", "list")).toEqual([]);
  });

  it("are pushed with their profiles to a running Worker", async () => {
    const files = { task: join(folder, "task.json"), profiles: join(folder, "profiles.ndjson") };
    await writeFile(files.task, taskFile({ ...task, name: "pushed" }));
    await writeFile(files.profiles, profilesFile("pushed", profilesOf(5)));
    const args = ["push", "--task", files.task, "--profiles", files.profiles, "--url", String(worker.url)];
    const { code, stdout } = await asked(...args);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "Task pushed is at generation 1. Profiles: 5 created, 0 replaced, 0 unchanged, 0 failed.\n",
    });
    await writeFile(files.task, taskFile({ ...taskFor(bundle, { labels: ["1", "2"] }), name: "pushed" }));
    const refused = await asked(...args);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^task_has_profiles: /);
    expect((await asked(...args, "--replace")).code).toBe(0);
  });
});

describe("xpeft predict", () => {
  const predict = (...args: string[]) => asked("predict", "demo", ...args);

  it("prints a line for each text: label and score", async () => {
    const { code, stdout } = await predict(TEXT, "Thank you", "--profile", "demo-000");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^([123]\t[01]\.\d{4}\n){2}$/);
    const [best] = (await predict(TEXT, "--profile", "demo-000", "--top", "3")).stdout.split("\n");
    expect(best).toMatch(/^([123]\t[01]\.\d{4}\t?){3}$/);
    expect(stdout.startsWith(`${best?.split("\t").slice(0, 2).join("\t")}\n`)).toBe(true);
  });

  it("reads more lines of a file than go into a request, and numbers them on", async () => {
    const path = join(folder, "texts.ndjson");
    const line = (text: string, profile?: string) => `${JSON.stringify({ text, profile })}\n`;
    await writeFile(path, `${line(TEXT, "demo-002").repeat(256)}${line("")}${line(TEXT)}`);
    const { code, stdout, stderr } = await predict("--file", path, "--json", "--profile", "demo-001");
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(answers.map((one) => one.line)).toEqual(Array.from({ length: 258 }, (_, index) => index + 1));
    expect(answers[255]).toMatchObject({ profile: "demo-002" });
    expect(answers[256]).toMatchObject({ error: { code: "empty_text" } });
    expect(answers[257]).toMatchObject({ profile: "demo-001" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^text 257: empty_text: /);
    expect(await predict(TEXT, "--file", path)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("given twice"),
    });
  });
});

describe("xpeft learn --url", () => {
  const EXAMPLES = lessonsOf(6, ["1", "3"]);
  const QUICK = ["--epochs", "2", "--start", "default"];
  let examples: string;

  const learn = (key: string, ...args: string[]) =>
    asked("learn", "demo", ...args, ...QUICK, "--url", String(worker.url), "--key", key);
  const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

  beforeAll(async () => {
    examples = join(folder, "examples.jsonl");
    await writeFile(examples, lines(EXAMPLES));
  });

  it("has the Worker learn what this process would, by a key that may do nothing else, and write it if told to", async () => {
    const key = await worker.makeKey({ scopes: ["learn"] });
    const shown = await learn(key, "me", examples);
    expect(shown).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/^demo\/me: kept .*\n.*6 left-out/),
    });
    expect(shown.stdout).toContain("nothing was written");
    expect((await worker.get("/v1/profiles/demo/me")).status).toBe(404);
    expect(await learn(key, "me", examples, "--push")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("created, generation 1\n"),
    });
    const taskPath = join(folder, "learnt-task.json");
    const out = join(folder, "learnt.ndjson");
    await writeFile(taskPath, taskFile(task));
    await asked("learn", "demo", "me", examples, ...QUICK, "--task-file", taskPath, "--out", out);
    expect((await asked("profiles", "pull", "demo", "--prefix", "me")).stdout).toBe(await readFile(out, "utf8"));
  });

  it("learns all that a file names, goes on with those that are not in the file, and reports what the Worker refuses", async () => {
    const path = join(folder, "everybody.jsonl");
    const out = join(folder, "everybody.ndjson");
    const of = (profile: string, own: readonly object[]) => own.map((one) => ({ ...one, profile }));
    await writeFile(path, lines([...of("a", EXAMPLES), ...of("b", lessonsOf(3, ["1", "1"])), ...of("c", EXAMPLES)]));
    const all = () => learn(worker.adminKey, "--all", path, "--out", out, "--push");
    const once = await all();
    expect(once.code).toBe(1);
    expect(once.stdout).toMatch(/^demo\/a: kept (?:.*\n)+demo\/c: kept /);
    expect(once.stderr).toMatch(/^demo\/b: one_label: .*\n {2}\S.*\n1 of 3 profiles were not learnt: b\./);
    expect((await readFile(out, "utf8")).trimEnd().split("\n")).toHaveLength(2);
    expect((await all()).stdout).toMatch(/^demo\/a: is in .* already, passed over\ndemo\/c: is in /);
  });

  it("says what is wrong where it may not, cannot, or is asked for two places", async () => {
    const reader = await worker.makeKey({ scopes: ["predict"] });
    expect((await learn(reader, "me", examples)).stderr).toMatch(/^scope_missing: .*\n {2}\S/);
    const odd = join(folder, "odd.csv");
    await writeFile(odd, "text,label\na river,1\na boat,middle\n");
    expect(await learn(worker.adminKey, "me", odd)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^unknown_label: .*\n {2}\S/),
    });
    expect((await asked("learn", "demo", "me", examples, "--url", "http://localhost:1")).code).toBe(3);
    expect((await learn(reader, "me", examples, "--persist-to", folder)).code).toBe(2);
  });
});

describe("exit statuses", () => {
  it("tell a wrong call and a Worker that is away from a refusal", async () => {
    const wrong = await asked("profiles", "list", "no task");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("A task's name is of a-z");
    expect((await asked("profiles", "lisst", "demo")).stderr).toContain("Did you mean list?");
    expect((await asked("tasks", "list", "--url", "http://localhost:1")).code).toBe(3);
    expect((await asked("profiles", "show", "demo", "nobody")).code).toBe(1);
    expect((await asked("--help")).code).toBe(0);
  });
});

describe("xpeft doctor", () => {
  it("tells what is well and what is not, with what to do", async () => {
    await worker.push({ ...task, name: "older", bundle: "0".repeat(32) }, []);
    const { code, stdout } = await asked("doctor", "--persist-to", join(folder, "empty"));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ok {3}bundle: [0-9a-f]{32}: \d+ files are whole/);
    expect(stdout).toMatch(/\nFAIL local database: Migrations are missing: .*\n {7}npm start applies them/);
    expect(stdout).toMatch(/\nok {3}Worker: http:\S+ is ready/);
    expect(stdout).toMatch(/\nFAIL Worker's tasks: 1 of \d tasks were trained on another bundle: older\./);
    await worker.ask("DELETE", "/v1/tasks/older");
    const elsewhere = await asked("doctor", "--url", "http://worker.invalid");
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stdout).not.toContain("local database");
    expect(elsewhere.stdout).toContain("FAIL Worker: There is no answer from http://worker.invalid.");
  });
});

describe("xpeft doctor --db", () => {
  const found = async () => {
    const { code, stdout } = await asked("doctor", "--db", "--json");
    const findings = JSON.parse(stdout) as { check: string; ok: boolean; found: string }[];
    return { code, ...findings.find(({ check }) => check === "rows") };
  };

  it("finds each row that is not what its bundle wants, and no other", async () => {
    expect(await found()).toMatchObject({
      ok: true,
      found: expect.stringMatching(/^\d+ tasks and profiles are as this/),
    });
    await worker.push({ ...task, name: "hurt" }, profilesOf(1));
    await worker.db.exec("UPDATE profiles SET masks = x'00' WHERE task = 'demo' AND id = 'demo-001'");
    await worker.db.exec("UPDATE tasks SET head = x'00' WHERE name = 'hurt'");
    const damaged = await found();
    expect(damaged).toMatchObject({ code: 1, ok: false });
    expect(damaged.found).toMatch(
      /^2 of \d+ tasks and profiles are damaged\.\ndemo\/demo-001: invalid_mask: .*\n.*\nhurt: \w+: /,
    );
    await worker.db.exec("DELETE FROM profiles WHERE task = 'hurt'");
    await worker.db.exec("DELETE FROM tasks WHERE name = 'hurt'");
    await worker.db.exec("DELETE FROM profiles WHERE task = 'demo' AND id = 'demo-001'");
  });
});

describe("xpeft bundle", () => {
  it("tells what it is, and finds it whole", async () => {
    expect(await json("bundle", "info")).toMatchObject({ id: bundle.id, maskBytes: 156 });
    expect(await json("bundle", "verify")).toMatchObject({ id: bundle.id });
    const { stdout } = await asked("bundle", "info");
    expect(stdout).toContain("sign, 100 adapters, 50 chosen by each mask");
  });
});

describe("xpeft completion", () => {
  it("makes a script for a shell, which asks for what could come next", async () => {
    expect((await asked("completion", "bash")).stdout).toContain("complete -F");
    const { stdout } = await asked("complete", "--", "profiles", "");
    expect(stdout).toContain("rollback\t");
  });
});
