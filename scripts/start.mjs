// `npm start`: installs, prepares and starts the Worker on localhost.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { constants } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fail, installDependencies, node, quietEnv, root, wrangler } from "./install.mjs";
import { prepareDatabase, prepareSettings } from "./prepare.mjs";

const STARTUP_TIMEOUT_MS = 120_000;
const POLL_MS = 250;
const DEMO_TASK = "news";

const port = Number(process.env.PORT ?? 8787);
if (!Number.isInteger(port) || port < 1 || port > 65535)
  fail(`PORT is "${process.env.PORT}". Use a number from 1 to 65535.`);
const url = `http://localhost:${port}`;

function portIsFree() {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "localhost", () => server.close(() => resolve(true)));
  });
}

/** Waits until the Worker is ready. Returns null, or the problem that the Worker reported. */
async function waitUntilHealthy(worker) {
  const deadline = Date.now() + STARTUP_TIMEOUT_MS;
  while (Date.now() < deadline && worker.exitCode === null) {
    const response = await fetch(`${url}/healthz`).catch(() => null);
    if (response?.ok) return null;
    const problem = await response?.json().catch(() => null);
    if (problem?.code) return `${problem.code}: ${problem.detail} ${problem.hint}`;
    await sleep(POLL_MS);
  }
  return worker.exitCode === null ? `The Worker was not ready within ${STARTUP_TIMEOUT_MS / 1000} s.` : null;
}

function printExample() {
  const [line] = readFileSync(join(root, "bundles", "demo", DEMO_TASK, "profiles.ndjson"), "utf8").split("\n", 1);
  const body = { task: DEMO_TASK, profile: JSON.parse(line).profile, inputs: "Senate passes bill after long night" };
  console.log(`\nReady. Open ${url}/ or run in another terminal:\n`);
  console.log(`curl -s ${url}/v1/predict -H 'content-type: application/json' -d '${JSON.stringify(body)}'\n`);
  console.log(`To learn your own profile at ${url}/learn, and to read and write tasks and profiles, create a key:\n`);
  console.log("npm run -s xpeft -- keys create --scope predict learn write admin\n");
}

await installDependencies();
if (!(await portIsFree()))
  fail(`Port ${port} is in use. Stop the program that uses it, or choose another port: PORT=8788 npm start`);
prepareDatabase();

const settings = prepareSettings().flatMap((file) => ["--env-file", file]);
const dev = [wrangler, "dev", "--port", String(port), "--show-interactive-dev-session=false", ...settings];
const worker = spawn(node, dev, {
  cwd: root,
  env: quietEnv,
  stdio: ["ignore", "inherit", "inherit"],
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => worker.kill(signal));
worker.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));

const problem = await waitUntilHealthy(worker);
if (problem) {
  worker.removeAllListeners("exit").kill("SIGTERM");
  fail(problem);
}
printExample();
