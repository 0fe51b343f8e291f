import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { toBase64 } from "../../src/lib/base64.ts";
import { packProfileHead } from "../../src/profiles/profile-head.ts";
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
    expect(await remote.runCli("profiles", "pull", "demo", "--prefix", "")).toMatchObject({ code: 2, stdout: "" });
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
    // The second line fails alike, so its hint is not shown again.
    expect(stderr).toMatch(/:2: head_mismatch: .*\n$/);
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
