import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../cli/files.ts";
import { freePort, interrupt, run, start } from "../support/processes.ts";
import { profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";

const PATIENCE_MS = 180_000;
const exec = promisify(execFile);

let copy: string;

/** Writes a demo task into the copy of the project. */
async function writeDemo(name: string): Promise<void> {
  const folder = join(copy, "bundles", "demo", name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "task.json"), taskFile(taskFor(await readBundle(DEFAULT_BUNDLE), { name })));
  await writeFile(join(folder, "profiles.ndjson"), profilesFile(name, profilesOf(3)));
}

beforeAll(async () => {
  // A project that was just cloned and installed, with a demo of its own and no database.
  copy = await mkdtemp(join(tmpdir(), "xpeft-start-"));
  const { stdout } = await exec("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
  const needed = stdout.split("\0").filter((path) => path !== "" && !/^(training|test|bundles\/demo)\//.test(path));
  for (const path of needed) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await cp(path, join(copy, path), { preserveTimestamps: true });
  }
  await symlink(resolve("node_modules"), join(copy, "node_modules"));
  await writeDemo("news");
}, PATIENCE_MS);
afterAll(() => rm(copy, { recursive: true, force: true }));

/** Starts the project, and waits for the command that it says works. */
async function started() {
  const port = String(await freePort());
  const { child, written } = start([join(copy, "scripts", "start.mjs")], { cwd: copy, env: { PORT: port } });
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline && child.exitCode === null; await sleep(100)) {
    const curl = written.stdout.match(/^curl .*$/m)?.[0];
    if (curl) return { child, curl, port, written };
  }
  throw new Error(`There was no command to try:\n${written.stdout}${written.stderr}`);
}

it("serves, prints a command that works, stops when told to, and starts again with what was there", {
  timeout: 2 * PATIENCE_MS,
}, async () => {
  const first = await started();
  expect(first.written.stdout).toContain("Seeded task news with 3 profiles.");
  const { stdout } = await exec("bash", ["-c", first.curl]);
  expect(JSON.parse(stdout)).toMatchObject({ task: "news", profile: "demo-000", masks: "profile", generation: 1 });
  expect(await interrupt(first.child)).toBe(130);
  await expect(fetch(`http://localhost:${first.port}/healthz`)).rejects.toThrow();

  await writeDemo("offense");
  const second = await started();
  expect(second.written.stdout).toContain("Seeded task offense");
  expect(second.written.stdout).not.toContain("Seeded task news");
  const again = await exec("bash", ["-c", second.curl]);
  expect(JSON.parse(again.stdout)).toMatchObject({ generation: 1 });
  await interrupt(second.child);

  const third = await started();
  expect(third.written.stdout).not.toContain("Seeded");
  await interrupt(third.child);
});

it("names a port that is in use, and one that cannot be", async () => {
  const taken = createServer().listen(0, "localhost");
  await new Promise((listening) => taken.once("listening", listening));
  const address = taken.address() as { port: number };
  const script = join(copy, "scripts", "start.mjs");
  const failing = (port: string) => run([script], { PORT: port });
  expect(await failing(String(address.port))).toMatchObject({ code: 1, stderr: expect.stringContaining("in use") });
  taken.close();
  expect(await failing("http")).toMatchObject({ code: 1, stderr: expect.stringContaining('PORT is "http"') });
});
