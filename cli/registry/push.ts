import { type Command, Option } from "commander";
import { DEFAULT_BUNDLE, readBundle, readProfilesFile, readTaskFile } from "../../node/files.ts";
import { createPush } from "../../src/storage/push.ts";
import { withLoneDatabase } from "../database.ts";
import { EXIT } from "../errors.ts";
import { describeCounts } from "./profiles-bulk.ts";
import { pushToWorker } from "./push-remote.ts";

interface PushOptions {
  readonly task: string;
  readonly profiles: string;
  readonly bundle: string;
  readonly persistTo?: string;
  readonly url?: string;
  readonly key?: string;
  readonly replace?: boolean;
}

async function push(options: PushOptions): Promise<void> {
  const bundle = await readBundle(options.bundle);
  const task = await readTaskFile(options.task, bundle);
  const profiles = await readProfilesFile(options.profiles, task, bundle);
  if (options.url !== undefined) {
    const { url, key, replace = false } = options;
    const files = { name: task.name, task: options.task, profiles: options.profiles };
    const { generation, sums } = await pushToWorker({ url, ...(key && { key }) }, files, replace);
    console.log(`Task ${task.name} is at generation ${generation}. Profiles: ${describeCounts(sums)}`);
    if (sums.failed > 0) process.exitCode = EXIT.failed;
    return;
  }
  await withLoneDatabase(options.persistTo, (db) => createPush(db)(task, profiles));
  console.log(`Pushed task ${task.name} and ${profiles.length} profiles.`);
}

/** `xpeft push`: checks a trained task and its profiles line by line, then writes them. */
export function registerPush(program: Command): void {
  program
    .command("push")
    .description(
      "write a trained task and its profiles to the local database, all of them or none; or to a running Worker",
    )
    .requiredOption("--task <file>", "task.json of the training")
    .requiredOption("--profiles <file>", "profiles.ndjson of the training")
    .option("--bundle <folder>", "the bundle that they must have been trained on", DEFAULT_BUNDLE)
    .addOption(
      new Option("--persist-to <folder>", "where the local database is, as given to wrangler dev").conflicts("url"),
    )
    .option("--url <url>", "a running Worker to write to, in the place of the local database")
    .addOption(new Option("--key <key>", "a key with the scopes admin and write, for --url").env("XPEFT_KEY"))
    .option("--replace", "with --url: delete the profiles that are there, if the task was trained anew since")
    .action(push);
}
