import type { ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withDatabase } from "../../cli/database.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import type { NewProfile } from "../../src/profiles/profile.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { migrateLocally, serveLocally } from "../support/local-worker.ts";
import { freePort, interrupt } from "../support/processes.ts";
import { masksOf, profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";
import { runCli } from "../support/run-cli.ts";

const bundle = await readBundle(DEFAULT_BUNDLE);
const task = taskFor(bundle, { labels: ["1", "2", "3"] });
let folder: string;
let url: string;
let server: ChildProcess;
let key: string;

const xpeft = (...args: string[]) => runCli(args);

async function push(task: NewTask, profiles: string) {
  const files = { task: join(folder, "task.json"), profiles: join(folder, "profiles.ndjson") };
  await writeFile(files.task, taskFile(task));
  await writeFile(files.profiles, profiles);
  return xpeft("push", "--task", files.task, "--profiles", files.profiles, "--persist-to", join(folder, "state"));
}

const pushProfiles = (profiles: NewProfile[]) => push(task, profilesFile(task.name, profiles));

const generation = async (profile: string) => {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(`${url}/v1/profiles/${task.name}/${profile}`, { headers });
  return response.ok ? (await response.json<{ generation: number }>()).generation : response.status;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-e2e-"));
  const state = join(folder, "state");
  await migrateLocally(state);
  const made = await xpeft("keys", "create", "--scope", "write", "--persist-to", state);
  expect(made.code).toBe(0);
  key = made.stdout.trim();
  ({ url, child: server } = await serveLocally(state, ["CACHE_TTL_SECONDS:1", "PUBLIC_PREDICT:true"]));
});

afterAll(async () => {
  await interrupt(server);
  await rm(folder, { recursive: true, force: true });
});

it("pushes to a running Worker's database", async () => {
  expect(await pushProfiles(profilesOf(25))).toMatchObject({ code: 0, stdout: "Pushed task demo and 25 profiles.\n" });
  expect(await generation("demo-024")).toBe(1);
});

it("writes nothing of a push with one invalid line, and reports the line", async () => {
  const lines = profilesFile(task.name, [
    ...profilesOf(3),
    { id: "new", masks: masksOf(5).with(0, 255), labelBias: null },
  ]);
  const { code, stderr } = await push(task, lines);
  expect(code).toBe(1);
  expect(stderr).toMatch(/invalid_mask: .*profiles\.ndjson:4: .*\n {2}\S/);
  expect(stderr).not.toContain("    at ");
  expect([await generation("demo-000"), await generation("new")]).toEqual([1, 404]);
});

it("rejects a push that would leave profiles with another head", async () => {
  const other = { ...task, head: new Float32Array(task.head.length) };
  const { code, stderr } = await push(other, profilesFile(task.name, profilesOf(2)));
  expect(code).toBe(1);
  expect(stderr).toContain("mismatched_write");
  expect(await generation("demo-000")).toBe(1);
});

it("evaluates a data file's test split with the API's answers", async () => {
  const records = Array.from({ length: 150 }, (_, index) => ({
    profile: `demo-${String(index % 2).padStart(3, "0")}`,
    text: `A text with the number ${index * 7} in it, and ${"more ".repeat(index % 9)}words`,
    text_pair: "Something else.",
    label: String((index % 3) + 1),
    split: index % 15 === 0 ? "train" : "test",
  }));
  const data = join(folder, "data.jsonl");
  await writeFile(data, records.map((record) => JSON.stringify(record)).join("\n"));
  const predictions = join(folder, "predictions.jsonl");
  const flags = ["--url", url, "--predictions", predictions];
  const { code, stdout, stderr } = await xpeft("eval", "--data", data, "--task", "demo", ...flags);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: "140 of 140 texts have a text_pair, which is not sent. To send it, add --pair.\n",
  });

  const lines = (await readFile(predictions, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const tested = records.filter(({ split }) => split === "test");
  expect(lines.map(({ index, profile, label }) => ({ index, profile, label }))).toEqual(
    tested.map(({ profile, label }, index) => ({ index, profile, label })),
  );
  const score = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  expect(score).toEqual({
    task: "demo",
    n: 140,
    micro: lines.filter(({ label, predicted }) => label === predicted).length / 140,
    macro: expect.any(Number),
    mae: expect.any(Number),
    seconds: expect.any(Number),
  });

  const ask = async (inputs: object) => {
    const body = JSON.stringify({ task: "demo", profile: lines[77].profile, inputs });
    const response = await fetch(`${url}/v1/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    return (await response.json<{ predictions: { label: string }[] }>()).predictions[0]?.label;
  };
  expect(lines[77].predicted).toBe(await ask({ text: tested[77]?.text }));
});

it("says which labels of a data file the task does not have, and rejects --pair without effect", async () => {
  const data = join(folder, "labels.jsonl");
  const record = (label: string) => `${JSON.stringify({ profile: "demo-000", text: "a", label, split: "test" })}\n`;
  await writeFile(data, ["1", "x", "y", "x"].map(record).join(""));
  const evaluate = (...args: string[]) => xpeft("eval", "--data", data, "--task", "demo", "--url", url, ...args);
  expect(await evaluate()).toMatchObject({
    code: 0,
    stderr: '3 of 4 texts have labels that the task does not have, such as "x", "y". They count as wrong.\n',
  });
  expect(await evaluate("--pair")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/has no text_pair, so --pair has no effect\.\n {2}Leave --pair out\./),
  });
});

it("names the line of a text that the Worker rejects", async () => {
  const data = join(folder, "rejected.jsonl");
  const record = (text: string, profile: string) => `${JSON.stringify({ profile, text, label: "1", split: "test" })}\n`;
  const evaluate = async (...records: string[]) => {
    await writeFile(data, records.join("\n"));
    return await xpeft("eval", "--data", data, "--task", "demo", "--url", url);
  };
  const [a, b] = ["demo-000", "demo-001"];
  expect((await evaluate(record("a", a), record("b", b), record("c", a), record("", a))).stderr).toMatch(
    /^empty_text: \S+rejected\.jsonl:7 has no tokens\.\n {2}answered by http:/,
  );
  expect((await evaluate(record("a", a), record("", b))).stderr).toMatch(
    /^empty_text: \S+rejected\.jsonl:3 has no tokens\./,
  );
  expect((await evaluate(record("a", a), record("b", a), record("\ud800", a))).stderr).toMatch(
    /^invalid_request: \S+rejected\.jsonl:5: text: /,
  );
});

it("reports a file of predictions that cannot be written, after the score", async () => {
  const data = join(folder, "known.jsonl");
  await writeFile(data, JSON.stringify({ profile: "demo-000", text: "a", label: "1", split: "test" }));
  const flags = ["--url", url, "--predictions", join(folder, "nowhere", "predictions.jsonl")];
  expect(await xpeft("eval", "--data", data, "--task", "demo", ...flags)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^\{"task":"demo","n":1,/),
    stderr: expect.stringMatching(/predictions\.jsonl cannot be written\.\n {2}because: .*\n {2}\S/),
  });
});

it("reports an unreachable server, an unknown task and an unknown profile", async () => {
  const data = join(folder, "one.jsonl");
  await writeFile(data, JSON.stringify({ profile: "nobody", text: "a", label: "1", split: "test" }));
  const failing = (...flags: string[]) => xpeft("eval", "--data", data, ...flags);
  const nowhere = `http://localhost:${await freePort()}`;
  expect(await failing("--task", "demo", "--url", nowhere)).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("npm start"),
  });
  expect(await failing("--task", "other", "--url", url)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"other"'),
  });
  expect(await failing("--task", "demo", "--url", url)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("unknown_profile"),
  });
});

it("seeds missing tasks, and skips the others", async () => {
  await pushProfiles(profilesOf(25));
  const before = await generation("demo-000");
  const demo = join(folder, "demo");
  for (const name of ["demo", "fresh"]) {
    await mkdir(join(demo, name), { recursive: true });
    await writeFile(join(demo, name, "task.json"), taskFile({ ...task, name }));
    await writeFile(join(demo, name, "profiles.ndjson"), profilesFile(name, profilesOf(2)));
  }
  const seed = () => xpeft("seed", "--demo", demo, "--persist-to", join(folder, "state"));
  expect(await seed()).toMatchObject({ code: 0, stdout: "Seeded task fresh with 2 profiles.\n" });
  expect(await seed()).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect(await generation("demo-000")).toBe(before);
  expect(await xpeft("seed", "--demo", join(folder, "nowhere"))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/nowhere cannot be read\.\n {2}because: .*\n {2}.*--demo\n$/),
  });
});

it("checks every task of the local database, however many it has", async () => {
  const state = join(folder, "state");
  const other = "0".repeat(32);
  await withDatabase({ persistTo: state }, (db) =>
    db.run(sql`WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < 1000)
      INSERT INTO tasks (name, bundle, labels, max_tokens, head, masks, generation, updated_at)
      SELECT 'copy-' || n, iif(n = 999, ${other}, bundle), labels, max_tokens, head, masks, generation, updated_at
      FROM tasks, copies WHERE name = ${task.name}`),
  );
  const { code, stdout } = await xpeft("doctor", "--persist-to", state, "--url", url);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAIL local database: 1 of 100\d tasks were trained on another bundle: copy-999\.$/m);
});
