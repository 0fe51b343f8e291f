// `npm start`: installs, prepares and starts the Worker on localhost.
import { spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { fail, installDependencies, node, quietEnv, root, wrangler } from "./install.mjs";
import { prepareDatabase, preparePageKey, prepareSettings } from "./prepare.mjs";

const STARTUP_TIMEOUT_MS = 120_000;
const POLL_MS = 250;
const DEMO_TASK = "news";
const DEFAULT_PORT = 8787;
const MAX_PORT = 65_535;

const HELP = `Usage: npm start -- [options]

Installs missing dependencies, makes a local database with the demo's tasks, and serves the Worker on localhost.

Options:
  --port <port>          port to listen on, 1 to ${MAX_PORT} (default: the environment variable PORT, or ${DEFAULT_PORT})
  --persist-to <folder>  folder of the local database (default: .wrangler/state)
  -h, --help             show this help`;

const OPTIONS = {
  port: { type: "string" },
  "persist-to": { type: "string" },
  help: { type: "boolean", short: "h" },
};

function readOptions() {
  // Without the two dashes, npm reads an option as its own and passes only its value on, or nothing.
  const taken = Object.keys(OPTIONS).find((name) => process.env[`npm_config_${name.replaceAll("-", "_")}`]);
  if (taken) fail(`npm read --${taken} as an option of its own. Put two dashes before it: npm start -- --${taken} …`);
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    // The rest of Node's message is about arguments, which this command does not have.
    const [message] = error.message.split(". ");
    return fail(`${message}. For the options: npm start -- --help`);
  }
}

const { help, port: portOption, "persist-to": folder } = readOptions();
if (help) {
  console.log(HELP);
  process.exit();
}
const portText = portOption ?? process.env.PORT ?? String(DEFAULT_PORT);
const port = Number(portText);
if (!Number.isInteger(port) || port < 1 || port > MAX_PORT)
  fail(`${portOption === undefined ? "PORT" : "--port"} is "${portText}". Use a number from 1 to ${MAX_PORT}.`);
const url = `http://localhost:${port}`;
const persistTo = folder === undefined ? undefined : resolve(folder);

/** Listens on an address for a moment. Returns the error, or null if the port is free there. */
function tryPort(host) {
  return new Promise((settle) => {
    const server = createServer();
    server.once("error", settle);
    server.listen({ host, port }, () => server.close(() => settle(null)));
  });
}

async function checkPort() {
  // localhost can be two addresses, and a program may listen on one of them.
  const addresses = await lookup("localhost", { all: true });
  const errors = await Promise.all(addresses.map(({ address }) => tryPort(address)));
  // Low ports may be reserved.
  const another = port < DEFAULT_PORT || port === MAX_PORT ? DEFAULT_PORT : port + 1;
  if (errors.some((error) => error?.code === "EADDRINUSE")) {
    fail(
      `Port ${port} is in use. Stop the program that uses it, or choose another port: npm start -- --port ${another}`,
    );
  }
  if (errors.every((error) => error !== null))
    fail(`Port ${port} cannot be opened (${errors[0].message}). Choose another port: npm start -- --port ${another}`);
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
  const database = persistTo === undefined ? "" : ` --persist-to '${persistTo}'`;
  console.log(`\nReady. Open ${url}/ or run in another terminal:\n`);
  console.log(`curl -s ${url}/v1/predict -H 'content-type: application/json' -d '${JSON.stringify(body)}'\n`);
  console.log("To read and write tasks and profiles by the API, create a key:\n");
  console.log(`npm run -s xpeft -- keys create --scope predict list learn write admin${database}\n`);
  if (port !== DEFAULT_PORT)
    console.log(`Commands of xpeft use port ${DEFAULT_PORT} until you run:\n\nexport XPEFT_URL=${url}\n`);
}

await checkPort();
await installDependencies();
prepareDatabase(persistTo);

const settings = [preparePageKey(persistTo), ...prepareSettings()].flatMap((file) => ["--env-file", file]);
const database = persistTo === undefined ? [] : ["--persist-to", persistTo];
const dev = [wrangler, "dev", "--port", String(port), "--show-interactive-dev-session=false", ...settings, ...database];
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
