import { afterAll, beforeAll, beforeEach, expect } from "vitest";
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
}

async function startRemote(folder: string): Promise<Remote> {
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
  };
}

/**
 * Gives the tests of a file a Worker, in which the task has its three profiles before each test.
 *
 * @returns an object that is empty until the first hook of the file has run
 */
export function useRemote(): Remote {
  const remote = {} as Remote;
  let folder: string;
  beforeAll(async () => {
    folder = await makeTempFolder("xpeft-remote-");
    Object.assign(remote, await startRemote(folder));
  });
  afterAll(async () => {
    await remote.worker?.close();
    await removeTempFolder(folder);
  });
  beforeEach(() => remote.worker.push(task, profilesOf(3)));
  return remote;
}
