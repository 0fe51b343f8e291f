import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { readEvents } from "../support/events.ts";
import { examplesOf, jsonLines } from "../support/examples.ts";
import { task, useRemote } from "../support/remote.ts";
import { profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";

const bundle = await readBundle(DEFAULT_BUNDLE);
const TEXT = "Senate passes bill after long night";

const remote = useRemote();

const write = async (name: string, content: string) => {
  const path = join(remote.folder, name);
  await writeFile(path, content);
  return path;
};

describe("a new task", () => {
  it.each([
    [["tech", "billing", "tech "], '"tech" and "tech " are one label'],
    [["tech", "Café", "Cafe\u0301"], "are one label"],
    [["tech", "refund\nlate", "billing"], '"refund\\nlate" has a control character'],
  ])("is rejected with the labels %j by the API and by push", async (labels, message) => {
    const file = taskFile(taskFor(bundle, { name: "new", labels }));
    const answer = await remote.worker.request("PUT", "/v1/tasks/new", { body: JSON.parse(file) });
    expect([answer.status, await answer.json()]).toEqual([
      422,
      expect.objectContaining({ code: "invalid_request", detail: expect.stringContaining(message) }),
    ]);
    const files = [await write("new.json", file), await write("new.ndjson", profilesFile("new", profilesOf(1)))];
    const pushed = await remote.runCli("push", "--task", files[0] ?? "", "--profiles", files[1] ?? "");
    expect(pushed).toMatchObject({ code: 1, stderr: expect.stringMatching(/^invalid_row: \S+new\.json: labels: "/) });
    expect(pushed.stderr).toContain(message);
    expect((await remote.worker.get("/v1/tasks/new")).status).toBe(404);
  });
});

describe("a task whose labels are older than the rule", () => {
  const labels = ["tech ", "refund\nlate\tor never", "Caf\u00e9"];

  beforeEach(() => remote.worker.push(taskFor(bundle, { name: "older", labels }), profilesOf(2)));

  it("gives each text one line", async () => {
    const args = ["predict", "older", "--profile", "demo-000", "--top", "3"];
    const texts = [TEXT, "Thank you"];
    const { code, stdout } = await remote.runCli(...args, ...texts);
    const lines = stdout.trimEnd().split("\n");
    expect([code, lines.length]).toEqual([0, 2]);
    for (const line of lines) {
      const found = line.split("\t").filter((_, index) => index % 2 === 0);
      expect(found.sort()).toEqual(["Caf\u00e9", "refund\\nlate\\tor never", "tech "]);
    }
    const json = await remote.runCli(...args, TEXT, "--json");
    expect(
      JSON.parse(json.stdout)
        .top.map(({ label }: { label: string }) => label)
        .sort(),
    ).toEqual([...labels].sort());
  });

  it("learns from labels of the same canonical form, from a file and over HTTP", async () => {
    const examples = examplesOf(6, [" tech", "Cafe\u0301"]);
    const path = await write("older.jsonl", jsonLines(examples));
    const url = ["--url", String(remote.worker.url), "--key", remote.worker.adminKey];
    const out = join(remote.folder, "older-learnt.ndjson");
    const learnt = await remote.runCli(
      "learn",
      "older",
      "me",
      path,
      "--epochs",
      "1",
      "--start",
      "default",
      ...url,
      "--out",
      out,
    );
    expect(learnt).toMatchObject({ code: 0, stdout: expect.stringContaining("(6 texts)") });

    const body = { examples: examplesOf(6, ["tech ", labels[1] ?? ""]), start: "default", epochs: 1, dryRun: true };
    const events = await readEvents(await remote.worker.request("POST", "/v1/profiles/older/demo-000/learn", { body }));
    expect(events.at(-1)).toMatchObject({ event: "learnt", data: { leftOut: { texts: 6 } } });
  });

  it("is evaluated on labels of the same canonical form", async () => {
    const record = (label: string) => ({ profile: "demo-000", text: TEXT, label, split: "test" });
    const data = await write("data.jsonl", jsonLines([record("tech"), record("Cafe\u0301\u00a0")]));
    const predictions = join(remote.folder, "predictions.jsonl");
    expect(await remote.runCli("eval", "--task", "older", "--data", data, "--predictions", predictions)).toMatchObject({
      code: 0,
    });
    const found = (await readFile(predictions, "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).label);
    expect(found).toEqual(["tech ", "Caf\u00e9"]);
  });
});

it("is shown escaped by eval and learn if the task does not have it", async () => {
  const row = (label: string) => ({ profile: "demo-000", text: TEXT, label, split: "test" });
  const data = await write("unknown.jsonl", `\n${jsonLines([row("1"), row("4\n5")])}`);
  const { code, stdout, stderr } = await remote.runCli("eval", "--task", task.name, "--data", data);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: '1 of 2 texts have labels that the task does not have, such as "4\\n5". They count as wrong.\n',
  });
  expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).not.toHaveProperty("mae");
  const examples = await write("control.csv", 'text,label\na river,1\na boat,"2\n3"\n');
  expect(await remote.runCli("learn", task.name, "me", examples)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /control\.csv:3: label: "2\\n3" has a control character, .*\n {2}Give a label on one line/,
    ),
  });
});
