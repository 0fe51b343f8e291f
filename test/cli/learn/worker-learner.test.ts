import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { examplesOf, jsonLines, withProfile } from "../../support/examples.ts";
import { task, useRemote } from "../../support/remote.ts";
import { taskFile } from "../../support/rows.ts";
import { withoutProgress } from "../../support/run-cli.ts";

const remote = useRemote();

describe("xpeft learn --url", () => {
  const EXAMPLES = examplesOf(6, ["1", "3"]);
  const QUICK = ["--epochs", "2", "--start", "default"];
  let examples: string;

  const learn = async (key: string, ...args: string[]) =>
    withoutProgress(
      await remote.runCli("learn", "demo", ...QUICK, ...args, "--url", String(remote.worker.url), "--key", key),
    );

  beforeAll(async () => {
    examples = join(remote.folder, "examples.jsonl");
    await writeFile(examples, jsonLines(EXAMPLES));
  });

  it("lets the Worker learn the same as this process, with a key that may only learn, and write it on request", async () => {
    const key = await remote.worker.makeKey({ scopes: ["learn"] });
    const shown = await learn(key, "me", examples);
    expect(shown).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/^demo\/me: candidate .*\n.*\(6 texts\)/),
    });
    expect(shown.stdout).toContain("nothing was written");
    expect((await remote.worker.get("/v1/profiles/demo/me")).status).toBe(404);
    expect(await learn(key, "me", examples, "--push")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("created, generation 1\n"),
    });
    const taskPath = join(remote.folder, "learnt-task.json");
    const out = join(remote.folder, "learnt.ndjson");
    await writeFile(taskPath, taskFile(task));
    await remote.runCli("learn", "demo", "me", examples, ...QUICK, "--task-file", taskPath, "--out", out);
    expect((await remote.runCli("profiles", "pull", "demo", "--prefix", "me")).stdout).toBe(
      await readFile(out, "utf8"),
    );
  });

  it("learns a profile for some labels, as this process does with a database or without", async () => {
    const args = ["--known-labels", "3, 1"];
    const key = remote.worker.adminKey;
    expect(await learn(key, "few", examples, "--push", ...args)).toMatchObject({ code: 0, stderr: "" });
    const row = await (await remote.worker.get("/v1/profiles/demo/few")).json();
    expect(row).toMatchObject({ knownLabels: ["1", "3"] });
    const taskPath = join(remote.folder, "few-task.json");
    const out = join(remote.folder, "few.ndjson");
    await writeFile(taskPath, taskFile(task));
    const file = ["learn", "demo", "few", examples, ...QUICK, ...args, "--task-file", taskPath];
    await remote.runCli(...file, "--out", out);
    expect((await remote.runCli("profiles", "pull", "demo", "--prefix", "few")).stdout).toBe(
      await readFile(out, "utf8"),
    );
    const unknown = await learn(key, "few", examples, "--known-labels", "1,2");
    expect(unknown.stderr).toMatch(/^unknown_label: .*examples\.jsonl:2: The profile knows no label "3"\./);
    const odd = await remote.runCli(...file.slice(0, -4), "--known-labels", "1,9", "--task-file", taskPath);
    expect(odd.stderr).toMatch(/^unknown_label: knownLabels\[1\]: The task has no label "9"/);
  });

  it("learns every profile of a file, resumes with missing ones, and reports rejections", async () => {
    const path = join(remote.folder, "everybody.jsonl");
    const out = join(remote.folder, "everybody.ndjson");
    await writeFile(
      path,
      jsonLines([
        ...withProfile("a", EXAMPLES),
        ...withProfile("b", examplesOf(3, ["1", "1"])),
        ...withProfile("c", EXAMPLES),
      ]),
    );
    const all = () => learn(remote.worker.adminKey, "--all", path, "--out", out, "--push");
    const once = await all();
    expect(once.code).toBe(1);
    expect(once.stdout).toMatch(/^demo\/a: candidate (?:.*\n)+demo\/c: candidate /);
    expect(once.stderr).toMatch(/^demo\/b: one_label: .*\n {2}\S.*\n1 of 3 profiles were not learnt: b\./);
    expect((await readFile(out, "utf8")).trimEnd().split("\n")).toHaveLength(2);
    expect((await all()).stdout).toMatch(/^demo\/a: skipped, because .* has it already\ndemo\/c: skipped, /);
  });

  it("names the line of an example that the Worker rejects", async () => {
    const one = join(remote.folder, "one.csv");
    const all = join(remote.folder, "all.csv");
    const blank = join(remote.folder, "blank.csv");
    await writeFile(one, 'text,label\n"a text\nof three\nlines",1\n\na boat,3\nodd,7\n');
    await writeFile(all, "profile,text,label\na,a river,1\nb,a lake,1\na,a boat,3\nb,odd,7\nb,a pump,3\n");
    await writeFile(blank, "text,label\na river,1\n\u200b,3\na boat,3\n");
    const { adminKey } = remote.worker;
    expect((await learn(adminKey, "me", one)).stderr).toMatch(
      /^unknown_label: \S+one\.csv:7: The task has no label "7"/,
    );
    const some = await learn(adminKey, "--all", all);
    expect(some.stdout).toMatch(/^demo\/a: candidate /);
    expect(some.stderr).toMatch(/^demo\/b: unknown_label: \S+all\.csv:5: The task has no label "7"/);
    expect((await learn(adminKey, "me", blank)).stderr).toMatch(/\S+blank\.csv:3: /);
  });

  it('lets the Worker leave a profile as it is if the start "auto" gains nothing, unless --force', async () => {
    const path = join(remote.folder, "no-gain.jsonl");
    const out = join(remote.folder, "no-gain.ndjson");
    // The task's default masks label them right, so there is nothing to learn.
    await writeFile(path, jsonLines(examplesOf(2, ["1", "2"])));
    const args = ["demo-001", path, "--start", "auto", "--push", "--out", out];
    const left = await learn(remote.worker.adminKey, ...args);
    expect(left).toMatchObject({ code: 0, stdout: expect.stringContaining("add --force to replace it\n") });
    expect(await readFile(out, "utf8")).toBe("");
    const forced = await learn(remote.worker.adminKey, ...args, "--force");
    expect(forced.stdout).toMatch(/replaced, generation \d+; appended to /);
  });

  it("reports a missing permission, a failure, and two conflicting targets", async () => {
    const reader = await remote.worker.makeKey({ scopes: ["predict"] });
    expect((await learn(reader, "me", examples)).stderr).toMatch(/^scope_missing: .*\n {2}\S/);
    const odd = join(remote.folder, "odd.csv");
    await writeFile(odd, "text,label\na river,1\na boat,middle\n");
    expect(await learn(remote.worker.adminKey, "me", odd)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^unknown_label: .*\n {2}answered by .*\n {2}\S/),
    });
    expect((await remote.runCli("learn", "demo", "me", examples, "--url", "http://localhost:1")).code).toBe(3);
    expect((await learn(reader, "me", examples, "--persist-to", remote.folder)).code).toBe(2);
  });
});
