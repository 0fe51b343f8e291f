import { type ChildProcess, execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withDatabase } from "../../../cli/database.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { keys } from "../../../schema/tables.ts";
import { quietEnv, wrangler } from "../../../scripts/install.mjs";
import { createPush } from "../../../src/storage/push.ts";
import { migrateLocally, serveLocally } from "../../support/local-worker.ts";
import { interrupt } from "../../support/processes.ts";
import { profilesOf, taskFor } from "../../support/rows.ts";
import { runCli } from "../../support/run-cli.ts";

const KEY = /^xpk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/;
const exec = promisify(execFile);

let state: string;
let url: string;
let server: ChildProcess;

const xpeft = (...args: string[]) => runCli(args);
const local = (...args: string[]) => xpeft("keys", ...args, "--persist-to", state);

/** Creates a key and returns the parsed output of `--json`. */
async function create(...flags: string[]): Promise<{ key: string; id: string }> {
  const { code, stdout, stderr } = await local("create", "--json", ...flags);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

/** Requests the Worker with a key. @returns the status, and the problem's code if there is one */
async function statusAndCode(key: string, path: string, body?: object): Promise<[number, string?]> {
  const response = await fetch(url + path, {
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });
  const { code } = await response.json<{ code?: string }>();
  return code === undefined ? [response.status] : [response.status, code];
}

const predicting = (key: string, task: string, profile: string) =>
  statusAndCode(key, "/v1/predict", { task, profile, inputs: "A text" });

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "xpeft-keys-"));
  await migrateLocally(state);
  const bundle = await readBundle(DEFAULT_BUNDLE);
  await withDatabase({ persistTo: state }, async (db) => {
    for (const name of ["demo", "other"]) await createPush(db)(taskFor(bundle, { name }), profilesOf(2));
  });
  ({ url, child: server } = await serveLocally(state, ["CACHE_TTL_SECONDS:1"]));
});

afterAll(async () => {
  await interrupt(server);
  await rm(state, { recursive: true, force: true });
});

it("creates a key that only predicts, prints it alone on stdout, and its permissions on stderr", async () => {
  const { code, stdout, stderr } = await local("create", "--name", "laptop");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\S+\n$/);
  const key = stdout.trim();
  expect(key).toMatch(KEY);
  expect(stderr).toBe(
    `Key ${key.slice(4, 20)} (laptop): predict; all tasks; all profiles; never expires. It is shown only now:\n`,
  );
  expect(await predicting(key, "demo", "demo-000")).toEqual([200]);
  expect(await statusAndCode(key, "/v1/profiles/demo")).toEqual([403, "scope_missing"]);
});

it("confines a key to a task, to a prefix, or to both", async () => {
  const flags = ["--scope", "write", "predict", "--scope", "predict", "--task", "demo", "--prefix", "demo-001"];
  const { key, ...rest } = await create(...flags, "--expires", "2100-01-31T00:00:00+01:00");
  expect(rest).toEqual({
    id: key.slice(4, 20),
    scopes: ["predict", "write"],
    task: "demo",
    profilePrefix: "demo-001",
    expiresAt: "2100-01-30T23:00:00.000Z",
  });
  expect(await predicting(key, "demo", "demo-001")).toEqual([200]);
  expect(await predicting(key, "demo", "demo-000")).toEqual([403, "outside_confinement"]);
  expect(await predicting(key, "other", "demo-001")).toEqual([403, "outside_confinement"]);

  const { key: anywhere } = await create("--prefix", "demo-001");
  expect(await predicting(anywhere, "other", "demo-001")).toEqual([200]);
  expect(await predicting(anywhere, "other", "demo-000")).toEqual([403, "outside_confinement"]);
});

it("is accepted by eval, as an option and from the environment", async () => {
  const data = join(state, "data.jsonl");
  await writeFile(data, JSON.stringify({ profile: "demo-000", text: "a", label: "low", split: "test" }));
  const flags = ["eval", "--data", data, "--task", "demo", "--url", url];
  expect(await runCli(flags)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/key_missing: .*\n {2}answered by http.*\n {2}.*--key/),
  });
  const { key } = await create();
  expect(await runCli([...flags, "--key", key])).toMatchObject({ code: 0 });
  expect(await runCli(flags, { XPEFT_KEY: key })).toMatchObject({ code: 0 });
});

it("lists keys with their permissions, without any secret", async () => {
  const days = Date.now() + 90 * 86_400_000;
  const { key, id } = await create("--name", "to be listed", "--scope", "admin", "--task", "demo", "--expires", "90d");
  await statusAndCode(key, "/v1/tasks");
  const { key: used, id: usedId } = await create("--prefix", "demo-");
  await predicting(used, "demo", "demo-000");
  let json = "";
  const lastUsedAt = async () => {
    json = (await local("list", "--json")).stdout;
    return JSON.parse(json).at(-1).lastUsedAt;
  };
  await expect.poll(lastUsedAt).toBeTruthy();

  const { code, stdout, stderr } = await local("list");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [headings, ...lines] = stdout.trimEnd().split("\n");
  expect(headings?.split(/ {2,}/)).toEqual([
    "id",
    "name",
    "scopes",
    "task",
    "prefix",
    "created",
    "expires",
    "last used",
  ]);
  const cells = lines.map((line) => line.split(/ {2,}/));
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/);
  expect(cells).toContainEqual([id, "to be listed", "admin", "demo", "-", time, time, time]);
  expect(cells).toContainEqual([usedId, "unnamed", "predict", "-", "demo-", time, "never", time]);

  const listed = JSON.parse(json).find((one: { id: string }) => one.id === id);
  expect(Object.keys(listed).sort()).toEqual(
    ["createdAt", "expiresAt", "id", "lastUsedAt", "name", "profilePrefix", "scopes", "task"].sort(),
  );
  expect(Math.abs(Date.parse(listed.expiresAt) - days)).toBeLessThan(60_000);
  for (const secret of [key.slice(21), used.slice(21), "hash"]) expect(stdout + json).not.toContain(secret);
});

it("revokes a key, and reports an unknown one", async () => {
  const { key, id } = await create();
  expect(await predicting(key, "demo", "demo-000")).toEqual([200]);
  expect(await local("revoke", id)).toMatchObject({ code: 0, stdout: expect.stringContaining("CACHE_TTL_SECONDS") });
  await expect.poll(() => predicting(key, "demo", "demo-000")).toEqual([401, "key_invalid"]);
  const { code, stderr } = await local("revoke", id);
  expect(code).toBe(1);
  expect(stderr).toBe(`The database has no key "${id}".\n  List the ids: npm run -s xpeft -- keys list\n`);
});

it("creates keys that expire", async () => {
  const { key, id } = await create("--expires", "1d");
  // A day is too long for a test, so the test moves the row's expiry to now.
  await withDatabase({ persistTo: state }, (db) =>
    db.update(keys).set({ expiresAt: Date.now() }).where(eq(keys.id, id)),
  );
  expect(await predicting(key, "demo", "demo-000")).toEqual([401, "key_expired"]);
});

it("prints a statement that creates the key in another database, safe between a shell's double quotes", async () => {
  const name = `O'Brien's "own" $HOME \`id\` 100% \\ ; DROP TABLE keys; -- é!`;
  const flags = [
    "--name",
    name,
    "--scope",
    "predict",
    "write",
    "--task",
    "demo",
    "--prefix",
    "demo-",
    "--expires",
    "7d",
  ];
  const { code, stdout, stderr } = await xpeft("keys", "create", "--sql", ...flags);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^INSERT INTO keys \(.*\) VALUES \(.*\);\n$/);
  const key = stderr.trimEnd().split("\n").at(-1) ?? "";
  expect(key).toMatch(KEY);
  expect(await predicting(key, "demo", "demo-000")).toEqual([401, "key_invalid"]);

  const execute = `"${process.execPath}" "${wrangler}" d1 execute DB --local --persist-to "${state}" --command`;
  await exec("bash", ["-c", `${execute} "${stdout.trimEnd()}"`], { env: quietEnv });
  expect(await predicting(key, "demo", "demo-000")).toEqual([200]);
  expect(await predicting(key, "other", "demo-000")).toEqual([403, "outside_confinement"]);
  const listed: { id: string }[] = JSON.parse((await local("list", "--json")).stdout);
  expect(listed.find(({ id }) => id === key.slice(4, 20))).toMatchObject({
    name,
    scopes: ["predict", "write"],
    task: "demo",
    profilePrefix: "demo-",
  });
});

it("creates no key if an option is invalid", async () => {
  const before = (await local("list", "--json")).stdout;
  const { code, stdout, stderr } = await local("create", "--expires", "soon");
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^error: option '--expires <when>' argument 'soon' is invalid\. .*90d.*\n$/);
  expect((await local("list", "--json")).stdout).toBe(before);
});
