import type { Command } from "commander";
import { createPush } from "../src/push.ts";
import { withLoneDatabase } from "./database.ts";
import { DEFAULT_BUNDLE, readBundle, readProfilesFile, readTaskFile } from "./files.ts";

interface PushOptions {
  readonly task: string;
  readonly profiles: string;
  readonly bundle: string;
  readonly persistTo?: string;
}

/** `xpeft push`: checks a trained task and its profiles line by line, then writes all or nothing. */
export function registerPush(program: Command): void {
  program
    .command("push")
    .description("write a trained task and its profiles to the local database; all of them, or none")
    .requiredOption("--task <file>", "task.json of the training")
    .requiredOption("--profiles <file>", "profiles.ndjson of the training")
    .option("--bundle <folder>", "the bundle that they must have been trained on", DEFAULT_BUNDLE)
    .option("--persist-to <folder>", "where the local database is, as given to wrangler dev")
    .action(async (options: PushOptions) => {
      const bundle = await readBundle(options.bundle);
      const task = await readTaskFile(options.task, bundle);
      const profiles = await readProfilesFile(options.profiles, task, bundle);
      await withLoneDatabase(options.persistTo, (db) => createPush(db)(task, profiles));
      console.log(`Pushed task ${task.name} and ${profiles.length} profiles.`);
    });
}
