import type { Command } from "commander";
import { type Client, lines } from "../../client/index.ts";
import { parseTaskName } from "../arguments.ts";
import { prefixOption, type WorkerOptions } from "../options.ts";
import { createProgressBar } from "../progress.ts";
import { openClient } from "../worker-client.ts";
import { writeOutput } from "../write-output.ts";

/** Profiles a request. D1 allows 1,000 queries a request, and an export needs two for 500 profiles. */
const PROFILES_A_REQUEST = 100_000;

/** A line of an export, as a `profiles.ndjson` has it. */
interface ProfileLine {
  readonly profile: string;
}

/** Yields all profiles of a task that the key may read, with as many requests as that takes. */
export async function* exportProfiles(client: Client, task: string, prefix: string): AsyncGenerator<ProfileLine> {
  for (let after = "", done = false; !done; ) {
    const query = { prefix, after, limit: String(PROFILES_A_REQUEST) };
    let count = 0;
    for await (const line of lines<ProfileLine>(client.v1.tasks[":task"].export.$get({ param: { task }, query }))) {
      yield line;
      count++;
      after = line.profile;
    }
    done = count < PROFILES_A_REQUEST;
  }
}

/**
 * Writes a task's profiles as a `profiles.ndjson` to a file, or to standard output for `-`.
 *
 * @returns the number of profiles
 */
export async function downloadProfiles(
  options: WorkerOptions,
  task: string,
  { path, prefix }: { readonly path: string; readonly prefix: string },
): Promise<number> {
  const progress = createProgressBar("profiles");
  let count = 0;
  async function* profileLines(): AsyncGenerator<string> {
    for await (const line of exportProfiles(openClient(options), task, prefix)) {
      progress.increment(1);
      count++;
      yield `${JSON.stringify(line)}\n`;
    }
  }
  try {
    await writeOutput(path, profileLines());
  } finally {
    progress.stop();
  }
  return count;
}

interface PullOptions extends WorkerOptions {
  readonly prefix: string;
  readonly out: string;
}

/** `xpeft profiles pull TASK`. */
export function registerPullProfiles(command: Command): void {
  command
    .argument("<task>", "name of the task", parseTaskName)
    .addOption(prefixOption())
    .option("--out <file>", "write to this file; - is standard output", "-")
    .action(async (task: string, { prefix, out, ...options }: PullOptions) => {
      await downloadProfiles(options, task, { path: out, prefix });
    });
}
