import { expect } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { type CommandResult, run } from "./processes.ts";
import { profilesOf, taskFor } from "./rows.ts";
import { runCli } from "./run-cli.ts";
import { makeTempFolder, removeTempFolder } from "./temp-folders.ts";
import { type RunningWorker, startWorker } from "./worker.ts";

/** The task `demo` on the default bundle, with labels 1, 2 and 3. */
export const task = taskFor(await readBundle(DEFAULT_BUNDLE), { labels: ["1", "2", "3"] });

/** A running Worker, and the command line with its URL and a key with every scope. */
export interface Remote {
  readonly worker: RunningWorker;
  /** A folder for files. */
  readonly folder: string;
  runCli(...args: string[]): Promise<CommandResult>;
  /** Runs a command as its own process, with the exit status that a shell sees. */
  spawnCli(...args: string[]): Promise<CommandResult>;
  /** Runs a command with `--json`, expects success and returns its parsed output. */
  json(...args: string[]): Promise<unknown>;
  /** Restores the task's three profiles. */
  refill(): Promise<void>;
  close(): Promise<void>;
}

export async function startRemote(): Promise<Remote> {
  const folder = await makeTempFolder("xpeft-remote-");
  const worker = await startWorker({ vars: { PUBLIC_PREDICT: "false" } });
  const env = { XPEFT_URL: String(worker.url), XPEFT_KEY: worker.adminKey, NO_COLOR: "1" };
  const runRemote = (...args: string[]) => runCli(args, env);
  return {
    worker,
    folder,
    runCli: runRemote,
    spawnCli: (...args) => run(["cli/xpeft.ts", ...args], env),
    async json(...args) {
      const { code, stdout, stderr } = await runRemote(...args, "--json");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout);
    },
    refill: () => worker.push(task, profilesOf(3)),
    async close() {
      await worker.close();
      await removeTempFolder(folder);
    },
  };
}
