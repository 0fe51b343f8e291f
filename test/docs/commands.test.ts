import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandsOf, documents } from "../support/documents.ts";
import { freePort, interrupt, runProgram, start, waitForResponse } from "../support/processes.ts";
import { copyProject, projectFiles } from "../support/project.ts";
import { TUTORIAL, testTutorial } from "./tutorial.ts";

const PATIENCE_MS = 600_000;
const LOCAL = "http://localhost:8787";

const withCommands: string[] = [];
for (const path of await documents())
  if (path !== TUTORIAL && (await commandsOf(path)).some(({ notRun }) => notRun === null)) withCommands.push(path);

let copy: string;
let url: string;
let server: ReturnType<typeof start>;

/** A copy of the project as a new user has it after `npm start`. */
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "xpeft-docs-"));
  await copyProject(copy, await projectFiles());
  const port = String(await freePort());
  url = `http://localhost:${port}`;
  server = start([join(copy, "scripts", "start.mjs")], { cwd: copy, env: { PORT: port } });
  await waitForResponse(`${url}/healthz`);
}, PATIENCE_MS);
afterAll(async () => {
  await interrupt(server.child);
  await rm(copy, { recursive: true, force: true });
});

it.each(withCommands)(
  "%s has commands that work",
  async (path) => {
    const blocks = (await commandsOf(path)).filter(({ notRun }) => notRun === null);
    // One shell a page: later blocks use variables of earlier ones.
    const script = ["set -euo pipefail", ...blocks.map(({ text }) => text)].join("\n").replaceAll(LOCAL, url);
    const { code, stdout, stderr } = await runProgram("bash", ["-c", script], { cwd: copy, env: { XPEFT_URL: url } });
    expect({ code, stderr }, `${stdout}\n${stderr}`).toMatchObject({ code: 0 });
    // curl -s exits with 0 on an error response.
    expect(stdout).not.toMatch(/"code":"[a-z_]+"/);
  },
  PATIENCE_MS,
);

// Here, because it needs the same copy.
describe(`${TUTORIAL}, word for word`, () => testTutorial(() => ({ copy, url })));
