import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { quietEnv } from "../../scripts/install.mjs";
import { toBase64 } from "../../src/lib/base64.ts";
import { packProfileHead } from "../../src/profiles/profile-head.ts";
import { runProgram } from "../support/processes.ts";
import { task, useRemote } from "../support/remote.ts";
import { headHashOf, masksOf, profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";
import { runCli } from "../support/run-cli.ts";

const bundle = await readBundle(DEFAULT_BUNDLE);
const TEXT = "Senate passes bill after long night";

const remote = useRemote();

describe("xpeft profiles", () => {
  it("lists them by id and prefix, with their sizes", async () => {
    expect(await remote.json("profiles", "list", "demo")).toMatchObject([
      { profile: "demo-000", bytes: 64 },
      { profile: "demo-001" },
      { profile: "demo-002" },
    ]);
    const { stdout } = await remote.runCli("profiles", "list", "demo", "--prefix", "demo-002");
    expect(stdout).toMatch(/^profile +generation +bytes +written\ndemo-002 +\d+ +64 +\d{4}-\d\d-\d\dT\d\d:\d\dZ\n$/);
  });

  it("shows one, with its masks drawn", async () => {
    const { stdout } = await remote.runCli("profiles", "show", "demo", "demo-001", "--masks");
    const rows = stdout.split("\n").filter((line) => /^\d (down|up {2}) [●·]{256}$/.test(line));
    expect(rows).toHaveLength(2);
    expect(rows[0]?.match(/●/g)).toHaveLength(128);
  });

  it("shows a label bias as what it adds to each logit", async () => {
    const body = { masks: toBase64(masksOf(1)), labelBias: toBase64(Uint8Array.of(16, 248, 0)) };
    await remote.worker.request("PUT", "/v1/profiles/demo/biased", { body });
    const { stdout } = await remote.runCli("profiles", "show", "demo", "biased");
    expect(stdout).toContain("label bias: 3 bytes\nadded to the logits: 1 1.00, 2 -0.50, 3 0.00\n");
    await remote.json("profiles", "delete", "demo", "biased");
  });

  it("shows the labels that a profile knows, and the rank of its head change", async () => {
    const change = [{ scale: 0.5, left: Int8Array.of(1, 2, 3), right: new Int8Array(384).fill(1) }];
    const labelBias = packProfileHead({ bias: [1, 2, 0.5], change, known: [0, 2] }) ?? new Uint8Array();
    await remote.worker.request("PUT", "/v1/profiles/demo/own", {
      body: { masks: "", labelBias: toBase64(labelBias) },
    });
    const { stdout } = await remote.runCli("profiles", "show", "demo", "own");
    expect(stdout).toMatch(
      /label bias: 395 bytes\nhead change: rank 1\nknown labels: 2\nadded to the logits: 1 1\.00, 3 0\.50\n$/,
    );
    await remote.json("profiles", "delete", "demo", "own");
  });

  it("says that a profile has no masks", async () => {
    await remote.worker.request("PUT", "/v1/profiles/demo/plain", { body: { masks: "" } });
    const { stdout } = await remote.runCli("profiles", "show", "demo", "plain", "--masks");
    expect(stdout).toMatch(/\nmasks: none; label bias: none\nno masks\n$/);
    await remote.json("profiles", "delete", "demo", "plain");
  });

  it("pulls a file that a push restores byte for byte", async () => {
    const path = join(remote.folder, "pulled.ndjson");
    expect(await remote.runCli("profiles", "pull", "demo", "--out", path)).toMatchObject({ code: 0, stdout: "" });
    expect(await readFile(path, "utf8")).toBe(profilesFile("demo", profilesOf(3), await headHashOf(task)));
    expect(await remote.json("profiles", "delete", "demo", "demo-001")).toMatchObject({ profile: "demo-001" });
    expect(await remote.json("profiles", "push", "demo", path)).toMatchObject({ created: 1, unchanged: 2, failed: 0 });
    const { stdout } = await remote.runCli("profiles", "pull", "demo", "--prefix", "demo-001");
    expect(stdout).toBe(profilesFile("demo", profilesOf(2).slice(1), await headHashOf(task)));
  });

  it("reports the file's line of each rejected profile, and fails", async () => {
    const path = join(remote.folder, "bad.ndjson");
    const bad = { id: "bad", masks: masksOf(5).with(0, 255), labelBias: null };
    await writeFile(path, `\n${profilesFile("demo", [...profilesOf(4), bad])}`);
    const { code, stdout, stderr } = await remote.runCli("profiles", "push", "demo", path, "--dry-run");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "Dry run: 1 created, 0 replaced, 3 unchanged, 1 failed.\n" });
    expect(stderr).toMatch(/^\S+bad\.ndjson:6: mismatched_write: 13\d adapters/);
    expect(await remote.json("profiles", "list", "demo", "--prefix", "demo-003")).toEqual([]);
  });

  it("pushes no profile of another head, and names its line", async () => {
    const other = { ...task, head: task.head.map((value) => -value) };
    const path = join(remote.folder, "other-head.ndjson");
    await writeFile(path, profilesFile("demo", profilesOf(2), await headHashOf(other)));
    const { code, stdout, stderr } = await remote.runCli("profiles", "push", "demo", path);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "0 created, 0 replaced, 0 unchanged, 2 failed.\n" });
    expect(stderr).toMatch(
      /^\S+other-head\.ndjson:1: head_mismatch: Profile "demo-000" was trained with head .*\n {2}\S/,
    );
    const taskPath = join(remote.folder, "own-head.json");
    await writeFile(taskPath, taskFile(task));
    const pushed = await remote.runCli(
      "push",
      "--task",
      taskPath,
      "--profiles",
      path,
      "--url",
      String(remote.worker.url),
    );
    expect(pushed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^head_mismatch: \S+other-head\.ndjson:1: /),
    });
  });

  it("rolls back to an earlier generation, if the current one matches", async () => {
    const [before] = (await remote.json("profiles", "list", "demo")) as { generation: number }[];
    const path = join(remote.folder, "other.ndjson");
    await writeFile(path, profilesFile("demo", [{ id: "demo-000", masks: masksOf(77), labelBias: null }]));
    await remote.json("profiles", "push", "demo", path);
    const earlier = String(before?.generation);
    const rollback = ["profiles", "rollback", "demo", "demo-000", earlier];
    const rejected = await remote.runCli(...rollback, "--if-generation", earlier);
    expect(rejected.code).toBe(1);
    expect(rejected.stderr).toMatch(/^generation_mismatch: .*\n {2}\S/);
    expect(await remote.json(...rollback)).toMatchObject({ profile: "demo-000" });
    const { stdout } = await remote.runCli("profiles", "history", "demo", "demo-000");
    expect(stdout).toMatch(/^generation +bytes +written\n\d+ .* current\n/);
  });

  it.each<[string, string[], RegExp]>([
    ["carries the profile", [], /^Token of \d{3} bytes, valid until /],
    ["carries its task too", ["--with-task"], /^Token of \d{4} bytes, valid until /],
  ])("creates a token that %s, and predicts without a key", async (_, options, size) => {
    const { stdout, stderr } = await remote.runCli("profiles", "token", "demo", "demo-001", "--ttl", "60", ...options);
    expect(stderr).toMatch(size);
    const args = ["predict", "demo", TEXT, "--profile", "demo-001", "--key", stdout.trim()];
    expect((await remote.runCli(...args)).code).toBe(0);
  });
});

describe("xpeft tasks", () => {
  it("lists, pulls and deletes them", async () => {
    expect(await remote.json("tasks", "list")).toMatchObject([{ task: "demo", labels: ["1", "2", "3"] }]);
    const { stdout } = await remote.runCli("tasks", "pull", "demo");
    expect(JSON.parse(stdout)).toEqual(JSON.parse(taskFile(task)));
    const rejected = await remote.runCli("tasks", "delete", "demo");
    expect(rejected.code).toBe(1);
    expect(rejected.stderr).toMatch(/^task_has_profiles: /);
    expect(await remote.json("tasks", "delete", "demo", "--profiles")).toMatchObject({ task: "demo" });
    expect(await remote.json("tasks", "list")).toEqual([]);
  });

  it("are pushed with their profiles to a running Worker", async () => {
    const files = { task: join(remote.folder, "task.json"), profiles: join(remote.folder, "profiles.ndjson") };
    await writeFile(files.task, taskFile({ ...task, name: "pushed" }));
    await writeFile(files.profiles, profilesFile("pushed", profilesOf(5)));
    const args = ["push", "--task", files.task, "--profiles", files.profiles, "--url", String(remote.worker.url)];
    const { code, stdout } = await remote.runCli(...args);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "Pushed task pushed as generation 1. Profiles: 5 created, 0 replaced, 0 unchanged, 0 failed.\n",
    });
    await writeFile(files.task, taskFile({ ...taskFor(bundle, { labels: ["1", "2"] }), name: "pushed" }));
    const rejected = await remote.runCli(...args);
    expect(rejected.code).toBe(1);
    expect(rejected.stderr).toMatch(/^task_has_profiles: /);
    expect((await remote.runCli(...args, "--replace")).code).toBe(0);
  });
});

describe("xpeft push", () => {
  it("rejects --replace without --url, where it has no effect", async () => {
    const { code, stderr } = await remote.runCli("push", "--task", "none", "--profiles", "none", "--replace");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Without --url, --replace has no effect\.\n {2}.*--url/);
  });
});

describe("xpeft predict", () => {
  const predict = (...args: string[]) => remote.runCli("predict", "demo", ...args);

  it("prints a line for each text: label and score", async () => {
    const { code, stdout } = await predict(TEXT, "Thank you", "--profile", "demo-000");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^([123]\t[01]\.\d{4}\n){2}$/);
    const [best] = (await predict(TEXT, "--profile", "demo-000", "--top", "3")).stdout.split("\n");
    expect(best).toMatch(/^([123]\t[01]\.\d{4}\t?){3}$/);
    expect(stdout.startsWith(`${best?.split("\t").slice(0, 2).join("\t")}\n`)).toBe(true);
  });

  it("reads more lines of a file than fit in a request, and numbers them consecutively", async () => {
    const path = join(remote.folder, "texts.ndjson");
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
    expect(stderr).toMatch(/^\S+texts\.ndjson:257: empty_text: /);
    expect(await predict(TEXT, "--file", path)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("not both"),
    });
  });

  it("rejects --scores without --json, where it has no effect", async () => {
    expect(await predict(TEXT, "--scores")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^Without --json, --scores has no effect\.\n {2}.*--top/),
    });
  });
});

describe("the Worker's address and key", () => {
  const list = (env: NodeJS.ProcessEnv) =>
    runCli(["profiles", "list", "demo"], {
      XPEFT_URL: String(remote.worker.url),
      XPEFT_KEY: remote.worker.adminKey,
      ...env,
    });

  it("may have spaces around them", async () => {
    const env = { XPEFT_URL: ` ${remote.worker.url} `, XPEFT_KEY: `${remote.worker.adminKey}\n` };
    expect(await list(env)).toMatchObject({ code: 0, stderr: "" });
  });

  it("are named if they are unusable", async () => {
    const address = await list({ XPEFT_URL: "local host" });
    expect(address.code).toBe(2);
    expect(address.stderr).toMatch(
      /'local host' from env 'XPEFT_URL' is invalid\. Give the address of a Worker, with http/,
    );
    expect(await list({ XPEFT_KEY: "Key 1" })).toMatchObject({ code: 2, stderr: expect.stringContaining("XPEFT_KEY") });
  });

  it("are named in the Worker's errors", async () => {
    const { code, stderr } = await remote.runCli("profiles", "show", "demo", "nobody");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^unknown_profile: .*\n {2}answered by http:\/\/[^/\s]+\n {2}List the profiles/);
  });
});

describe("the texts that xpeft predict reads", () => {
  /** Runs the command in a shell with a file as its standard input. */
  const predictShell = (command: string, file: string) =>
    runProgram("bash", ["-c", command, "bash", file], {
      env: {
        XPEFT: `${process.execPath} cli/xpeft.ts predict demo --profile demo-000`,
        XPEFT_URL: String(remote.worker.url),
        XPEFT_KEY: remote.worker.adminKey,
        ...quietEnv,
      },
    });

  async function predict(name: string, content: string | Uint8Array, ...args: string[]) {
    const path = join(remote.folder, name);
    await writeFile(path, content);
    return await remote.runCli("predict", "demo", "--file", path, "--profile", "demo-000", ...args);
  }
  const labels = (...texts: string[]) => remote.runCli("predict", "demo", ...texts, "--profile", "demo-000");
  const [rain, rice] = ["Rain is expected\u2028tomorrow", "Ten ways to cook rice"];

  it("are one a line, whatever other programs take for line ends", async () => {
    const wanted = await labels(rain, rice);
    expect(wanted.stdout.split("\n")).toHaveLength(3);
    expect(await predict("texts.txt", `${rain}\n${rice}\n`)).toEqual(wanted);
    expect(await predict("texts.txt", `\ufeff${rain}\r\n${rice}`)).toEqual(wanted);
    expect(await predict("texts.txt", `${rain}\r${rice}\r`)).toEqual(wanted);
    expect(await predict("texts.txt.gz", gzipSync(`${rain}\n${rice}\n`))).toEqual(wanted);
    expect(await predict("texts.ndjson", `${JSON.stringify({ text: rain })}\n\n{"text":"${rice}"}\n`)).toEqual(wanted);
    const gzip = join(remote.folder, "gzip");
    await writeFile(gzip, gzipSync(`${rain}\n${rice}\n`));
    expect(await predictShell('$XPEFT < "$1"', gzip)).toEqual(wanted);
  });

  it("are a table's column text, with its profiles and second texts", async () => {
    const wanted = await labels(rice, "A bill");
    expect(await predict("texts.csv", `text,label\n${rice},x\nA bill,y\n,\n`)).toEqual(wanted);
    expect(await predict("texts.tsv", `id\tText\n7\t${rice}\n8\tA bill\n`)).toEqual(wanted);
    const { stdout } = await predict("texts.csv", `profile;text\ndemo-001; a\n\n;b\n`, "--json");
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject([
      { line: 2, profile: "demo-001" },
      { line: 4, profile: "demo-000" },
    ]);
  });

  it.each([
    [
      "latin-1",
      "texts.txt",
      Buffer.from("Rain\n\nCaf\xe9 opens\n", "latin1"),
      /texts\.txt:3: it is not UTF-8 \(byte 4\)/,
    ],
    ["UTF-16", "texts.txt", Buffer.from("\ufeffRain\n", "utf16le"), /texts\.txt:1: it is UTF-16/],
    ["gzip that is cut", "texts.gz", gzipSync(rice).subarray(0, 20), /texts\.gz cannot be read/],
    ["a table without texts", "texts.csv", "headline,label\na,1\n", /texts\.csv:1: there is no column "text"/],
    ["a JSON array", "texts.json", `[{"text": "${rice}"}]`, /texts\.json:1: it is a JSON array/],
  ])("are not %s", async (_, name, content, message) => {
    expect(await predict(name, content)).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
    if (!name.endsWith(".txt")) return;
    expect(await predictShell('$XPEFT < "$1"', join(remote.folder, name))).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^standard input:/),
    });
  });

  it("may be more than the reader of the labels wants", async () => {
    const path = join(remote.folder, "many.txt");
    await writeFile(path, "Story\n".repeat(600));
    const { stdout, stderr } = await predictShell('$XPEFT --file "$1" | head -2; echo "$PIPESTATUS"', path);
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^(\d\t0\.\d+\n){2}141\n$/), stderr: "" });
  });
});

describe("exit statuses", () => {
  it("distinguish a usage error and an unreachable Worker from a rejection", async () => {
    const wrong = await remote.spawnCli("profiles", "list", "no task");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("A task's name has 1 to 64");
    expect((await remote.runCli("profiles", "lisst", "demo")).stderr).toContain("Did you mean list?");
    expect((await remote.spawnCli("tasks", "list", "--url", "http://localhost:1")).code).toBe(3);
    expect((await remote.spawnCli("profiles", "show", "demo", "nobody")).code).toBe(1);
    expect((await remote.spawnCli("--help")).code).toBe(0);
  });
});

describe("xpeft bundle", () => {
  it("describes the bundle, and verifies its files", async () => {
    expect(await remote.json("bundle", "info")).toMatchObject({ id: bundle.id, maskBytes: 64 });
    expect(await remote.json("bundle", "verify")).toMatchObject({ id: bundle.id });
    const { stdout } = await remote.runCli("bundle", "info");
    expect(stdout).toContain("sign, 256 adapters; each mask selects 128");
  });
});

describe("xpeft completion", () => {
  it("prints a shell script, which queries the possible completions", async () => {
    expect((await remote.spawnCli("completion", "bash")).stdout).toContain("complete -F");
    const { stdout } = await remote.spawnCli("complete", "--", "profiles", "");
    expect(stdout).toContain("rollback\t");
  });
});
