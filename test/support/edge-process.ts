// Serves a bundle through the real Worker, and runs CLI commands against it, for tests of the training half.
// `node edge-process.ts BUNDLE`. The first line that it prints is the Worker's address. Then each line of standard input has a
// command's arguments as JSON, and each line of standard output has its exit status and output.
import { createInterface } from "node:readline";
import { quietEnv } from "../../scripts/install.mjs";
import { runCli } from "./run-cli.ts";
import { startWorker } from "./worker.ts";

const print = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

Object.assign(process.env, quietEnv);
const [bundle = ""] = process.argv.slice(2);
const worker = await startWorker({ bundle });
const env = { XPEFT_URL: worker.url.href, XPEFT_KEY: worker.adminKey };
print(env);
for await (const line of createInterface({ input: process.stdin })) print(await runCli(JSON.parse(line), env));
await worker.close();
process.exit();
