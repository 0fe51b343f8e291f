import { type ChildProcess, execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
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

const PATIENCE_MS = 300_000;
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
  const needed = (await projectFiles()).filter((path) => !path.startsWith("bundles/demo/"));
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
  // The paths of the options are relative to the caller's folder.
  const options = ["--port", port, "--persist-to", "a folder"];
  const { child, output } = start([join(copy, "scripts", "start.mjs"), ...options], { cwd: copy });
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
  const { stdout } = await exec("bash", ["-c", `"${process.execPath}" cli/xpeft.ts ${args}`], { cwd: copy });
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
  expect(first.output.stdout).toContain(`export XPEFT_URL=http://localhost:${first.port}\n`);
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
  await writeFile(join(copy, ".dev.vars"), "PUBLIC_PREDICT=false\n");
  const second = await started();
  expect(second.output.stdout).toContain("Seeded task offense");
  expect(second.output.stdout).not.toContain("Seeded task news");
  expect(await readFile(settings, "utf8")).toBe(made);
  const rejected = await exec("bash", ["-c", second.curl]);
  expect(JSON.parse(rejected.stdout)).toMatchObject({ code: "key_missing" });
  const again = await exec("bash", ["-c", `${second.curl} -H "authorization: Bearer ${key}"`]);
  expect(JSON.parse(again.stdout)).toMatchObject({ predictions });
  expect(await makeToken(second.port, await makeKey(second.output.stdout))).toBe(200);
  await interrupt(second.child);
});

/** Runs the script without starting anything: it ends before that. */
const runScript = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  run([join(copy, "scripts", "start.mjs"), ...args], env);

it("reports a port that is in use at any address of localhost, and offers another one", async () => {
  for (const { address } of await lookup("localhost", { all: true })) {
    const occupied = createServer().listen(0, address);
    await once(occupied, "listening");
    const { port } = occupied.address() as { port: number };
    expect(await runScript(["--port", String(port)])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(`Port ${port} is in use\\. .* npm start -- --port ${port + 1}`),
    });
    occupied.close();
  }
});

it.each<[string[], NodeJS.ProcessEnv, RegExp]>([
  [[], { PORT: "http" }, /^\nPORT is "http"\. Use a number from 1 to 65535\.\n$/],
  [["--port", "0"], {}, /^\n--port is "0"\. Use a number/],
  [["--port"], {}, /^\nOption '--port <value>' argument missing\. .*npm start -- --help\n$/],
  [["--prot", "8799"], {}, /^\nUnknown option '--prot'\. .*npm start -- --help\n$/],
  [["8799"], {}, /^\nUnexpected argument '8799'\. .*npm start -- --help\n$/],
  // npm start --port=8799, and the same with a space.
  [[], { npm_config_port: "8799" }, /^\nnpm read --port .*: npm start -- --port …\n$/],
  [["8799"], { npm_config_port: "true" }, /^\nnpm read --port .*: npm start -- --port …\n$/],
])("rejects %j in %j, and says what to write", async (args, env, message) => {
  expect(await runScript(args, env)).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
});

it("shows its options", async () => {
  const { code, stdout } = await runScript(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: npm start -- \[options\]\n(.*\n)+ +--port <port> .*8787/);
});
