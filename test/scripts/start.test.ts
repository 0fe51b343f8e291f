import { type ChildProcess, execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { freePort, interrupt, run, start } from "../support/processes.ts";
import { copyProject, projectFiles } from "../support/project.ts";
import { profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";

const PATIENCE_MS = 180_000;
const exec = promisify(execFile);

const children: ChildProcess[] = [];
let copy: string;

/** Writes a demo task into the copy of the project. */
async function writeDemo(name: string): Promise<void> {
  const folder = join(copy, "bundles", "demo", name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "task.json"), taskFile(taskFor(await readBundle(DEFAULT_BUNDLE), { name })));
  await writeFile(join(folder, "profiles.ndjson"), profilesFile(name, profilesOf(3)));
}

beforeAll(async () => {
  // A freshly cloned and installed project, with its own demo task and no database.
  copy = await mkdtemp(join(tmpdir(), "xpeft-start-"));
  const needed = (await projectFiles()).filter((path) => !/^(training|test|bundles\/demo)\//.test(path));
  await copyProject(copy, needed);
  await writeDemo("news");
}, PATIENCE_MS);
afterAll(async () => {
  await Promise.all(children.map(interrupt));
  await rm(copy, { recursive: true, force: true });
});

/** Starts the project, and waits for the command it suggests. */
async function started() {
  const port = String(await freePort());
  const { child, output } = start([join(copy, "scripts", "start.mjs")], { cwd: copy, env: { PORT: port } });
  children.push(child);
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline && child.exitCode === null; await sleep(100)) {
    const curl = output.stdout.match(/^curl .*$/m)?.[0];
    if (curl) return { child, curl, port, output };
  }
  throw new Error(`The start printed no command:\n${output.stdout}${output.stderr}`);
}

/** Creates a key with the command that the start prints. */
async function makeKey(printed: string): Promise<string> {
  const [, args] = printed.match(/^npm run -s xpeft -- (keys .*)$/m) ?? [];
  const { stdout } = await exec(process.execPath, ["cli/xpeft.ts", ...(args ?? "").split(" ")], { cwd: copy });
  expect(stdout).toMatch(/^xpk_\S+\n$/);
  return stdout.trim();
}

/** Requests a profile token and returns the response's status. */
async function makeToken(port: string, key: string): Promise<number> {
  const { status } = await fetch(`http://localhost:${port}/v1/profiles/news/demo-000/token`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: "{}",
  });
  return status;
}

it("serves, prints a working command, stops on Ctrl-C, and restarts with its data", {
  timeout: 2 * PATIENCE_MS,
}, async () => {
  const first = await started();
  expect(first.output.stdout).toContain("Seeded task news with 3 profiles.");
  const { stdout } = await exec("bash", ["-c", first.curl]);
  const predictions = [{ profile: "demo-000", masks: "profile", generation: 1 }];
  expect(JSON.parse(stdout)).toMatchObject({ task: "news", predictions });
  const settings = join(copy, ".wrangler", "xpeft-dev.env");
  const made = await readFile(settings, "utf8");
  expect((await stat(settings)).mode & 0o777).toBe(0o600);
  const key = await makeKey(first.output.stdout);
  expect(await makeToken(first.port, key)).toBe(200);
  expect(await interrupt(first.child)).toBe(130);
  await expect(fetch(`http://localhost:${first.port}/healthz`)).rejects.toThrow();

  await writeDemo("offense");
  const second = await started();
  expect(second.output.stdout).toContain("Seeded task offense");
  expect(second.output.stdout).not.toContain("Seeded task news");
  const again = await exec("bash", ["-c", second.curl]);
  expect(JSON.parse(again.stdout)).toMatchObject({ predictions });
  expect(await readFile(settings, "utf8")).toBe(made);
  await interrupt(second.child);

  await writeFile(join(copy, ".dev.vars"), "PUBLIC_PREDICT=false\n");
  const third = await started();
  expect(third.output.stdout).not.toContain("Seeded");
  const rejected = await exec("bash", ["-c", third.curl]);
  expect(JSON.parse(rejected.stdout)).toMatchObject({ code: "key_missing" });
  expect(await makeToken(third.port, await makeKey(third.output.stdout))).toBe(200);
  await interrupt(third.child);
});

it("reports a port that is in use, and an invalid one", async () => {
  const occupied = createServer().listen(0, "localhost");
  await new Promise((listening) => occupied.once("listening", listening));
  const address = occupied.address() as { port: number };
  const script = join(copy, "scripts", "start.mjs");
  const startOn = (port: string) => run([script], { PORT: port });
  expect(await startOn(String(address.port))).toMatchObject({ code: 1, stderr: expect.stringContaining("in use") });
  occupied.close();
  expect(await startOn("http")).toMatchObject({ code: 1, stderr: expect.stringContaining('PORT is "http"') });
});
