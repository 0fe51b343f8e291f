import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { quietEnv } from "../../scripts/install.mjs";
import type { CommandResult } from "./processes.ts";

const SCRIPT = join(import.meta.dirname, "cli-process.ts");

let child: ChildProcess | undefined;
/** Pending commands, in order. */
const pending: { resolve(result: CommandResult): void; reject(error: Error): void }[] = [];

function startProcess(): ChildProcess {
  if (child) return child;
  const forked = fork(SCRIPT, { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
  forked.on("message", (result: CommandResult) => pending.shift()?.resolve(result));
  forked.once("exit", (code, signal) => {
    child = undefined;
    for (const { reject } of pending.splice(0))
      reject(new Error(`The command line's process ended: ${code ?? signal}.`));
  });
  child = forked;
  return forked;
}

/**
 * Runs a CLI command to its end, in a process that all commands of a test file share: starting one each would take
 * longer than most commands. To test the process itself, such as Ctrl-C, use `run` or `start`.
 */
export async function runCli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  const process = startProcess();
  return await new Promise((resolve, reject) => {
    pending.push({ resolve, reject });
    process.send({ args, env: { ...quietEnv, ...env } });
  });
}

/** Removes progress lines from a result: on a busy machine learning is slow enough to print some. */
export const withoutProgress = (result: CommandResult): CommandResult => ({
  ...result,
  stderr: result.stderr.replace(/^\S+( \(\d+ of \d+\))?: \d+%, .*\n/gm, ""),
});
