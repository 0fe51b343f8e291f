import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { quietEnv } from "../../scripts/install.mjs";
import type { Ended } from "./processes.ts";

const SCRIPT = join(import.meta.dirname, "cli-process.ts");

let child: ChildProcess | undefined;
/** Those who wait for the end of their commands, in the order of the commands. */
const waiting: { resolve(ended: Ended): void; reject(error: Error): void }[] = [];

function started(): ChildProcess {
  if (child) return child;
  const made = fork(SCRIPT, { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
  made.on("message", (ended: Ended) => waiting.shift()?.resolve(ended));
  made.once("exit", (code, signal) => {
    child = undefined;
    for (const { reject } of waiting.splice(0))
      reject(new Error(`The command line's process ended: ${code ?? signal}.`));
  });
  child = made;
  return made;
}

/**
 * Runs a command of the command line to its end, in a process that all commands of a test file share: to start one for
 * each takes longer than most of them. For what concerns the process itself, such as Ctrl-C, use `run` or `start`.
 */
export async function xpeft(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const process = started();
  return await new Promise((resolve, reject) => {
    waiting.push({ resolve, reject });
    process.send({ args, env: { ...quietEnv, ...env } });
  });
}

/** Leaves the progress out of what a learning wrote: on a busy machine it takes long enough to show some. */
export const withoutProgress = (ended: Ended): Ended => ({
  ...ended,
  stderr: ended.stderr.replace(/^\S+: \d+%, .*\n/gm, ""),
});
