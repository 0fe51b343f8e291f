import { expect } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { xpeft } from "./cli.ts";
import { makeFolder, removeFolder } from "./folders.ts";
import { type Ended, run } from "./processes.ts";
import { profilesOf, taskFor } from "./rows.ts";
import { type RunningWorker, startWorker } from "./worker.ts";

/** A task of the labels 1, 2 and 3 on the default bundle, called demo. */
export const task = taskFor(await readBundle(DEFAULT_BUNDLE), { labels: ["1", "2", "3"] });

/** A running Worker, and the command line that asks it with a key for everything. */
export interface Remote {
  readonly worker: RunningWorker;
  /** A folder for files. */
  readonly folder: string;
  asked(...args: string[]): Promise<Ended>;
  /** The same as a process, with an exit status that a shell sees. */
  spawned(...args: string[]): Promise<Ended>;
  /** What a command answers with `--json`, having succeeded. */
  json(...args: string[]): Promise<unknown>;
  /** Gives the task its three profiles again. */
  refill(): Promise<void>;
  close(): Promise<void>;
}

export async function startRemote(): Promise<Remote> {
  const folder = await makeFolder("xpeft-remote-");
  const worker = await startWorker({ vars: { PUBLIC_PREDICT: "false" } });
  const env = { XPEFT_URL: String(worker.url), XPEFT_KEY: worker.adminKey, NO_COLOR: "1" };
  const asked = (...args: string[]) => xpeft(args, env);
  return {
    worker,
    folder,
    asked,
    spawned: (...args) => run(["cli/xpeft.ts", ...args], env),
    async json(...args) {
      const { code, stdout, stderr } = await asked(...args, "--json");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout);
    },
    refill: () => worker.push(task, profilesOf(3)),
    async close() {
      await worker.close();
      await removeFolder(folder);
    },
  };
}
