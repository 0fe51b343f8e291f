import { type Command, Option } from "commander";
import { unwrap } from "../client/index.ts";
import type { NewTask } from "../src/new-rows.ts";
import { createPush } from "../src/push.ts";
import { withLoneDatabase } from "./database.ts";
import { EXIT } from "./errors.ts";
import { DEFAULT_BUNDLE, readBundle, readProfilesFile, readTaskFile, readText } from "./files.ts";
import { importProfiles, sumsText } from "./profiles-bulk.ts";
import { openService } from "./service.ts";

interface PushOptions {
  readonly task: string;
  readonly profiles: string;
  readonly bundle: string;
  readonly persistTo?: string;
  readonly url?: string;
  readonly key?: string;
  readonly replace?: boolean;
}

/**
 * Writes task and profiles through a running Worker. The profiles go under the very generation that the task was written as: where
 * someone else writes it meanwhile, the import is refused.
 */
async function pushOverHttp(task: NewTask, url: string, { key, replace, ...options }: PushOptions): Promise<void> {
  const service = { url, ...(key && { key }) };
  const written = await unwrap(
    openService(service).v1.tasks[":task"].$put({
      param: { task: task.name },
      query: { profiles: replace ? "delete" : "keep" },
      json: JSON.parse(await readText(options.task)),
    }),
  );
  const { generation: ifTaskGeneration } = written;
  const sums = await importProfiles(service, task.name, { path: options.profiles, ifTaskGeneration });
  console.log(`Task ${task.name} is at generation ${ifTaskGeneration}. Profiles: ${sumsText(sums)}`);
  if (sums.failed > 0) process.exitCode = EXIT.failed;
}

async function push(options: PushOptions): Promise<void> {
  const bundle = await readBundle(options.bundle);
  const task = await readTaskFile(options.task, bundle);
  const profiles = await readProfilesFile(options.profiles, task, bundle);
  if (options.url !== undefined) return await pushOverHttp(task, options.url, options);
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
