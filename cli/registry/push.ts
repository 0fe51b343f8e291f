import type { Command } from "commander";
import { readBundle, readProfilesFile, readTaskFile } from "../../node/files.ts";
import { createPush } from "../../src/storage/push.ts";
import { createTaskRegistry } from "../../src/storage/tasks.ts";
import { bundleOption } from "../bundle-option.ts";
import { exampleText } from "../command-line.ts";
import { withSingleDatabase } from "../database.ts";
import { EXIT, UsageError } from "../errors.ts";
import { addDatabaseOptions, type DatabaseOptions, keyOption, urlOption } from "../options.ts";
import { describeCounts } from "./profiles-push.ts";
import { pushToWorker, putTaskInWorker } from "./push-to-worker.ts";

interface PushOptions extends DatabaseOptions {
  readonly task: string;
  readonly profiles?: string;
  readonly bundle: string;
  readonly url?: string;
  readonly key?: string;
  readonly replace?: boolean;
}

async function push(options: PushOptions): Promise<void> {
  if (options.replace && options.url === undefined)
    throw new UsageError("Without --url, --replace has no effect.", "Leave --replace out, or add --url.");
  const bundle = await readBundle(options.bundle);
  const task = await readTaskFile(options.task, bundle);
  const profiles = options.profiles === undefined ? null : await readProfilesFile(options.profiles, task, bundle);
  if (options.url === undefined) {
    await withSingleDatabase(options, async (db) => {
      // Without a file, the profiles that exist stay.
      if (profiles) await createPush(db)(task, profiles);
      else await createTaskRegistry(db).put(task, undefined, "keep");
    });
    console.log(`Pushed task ${task.name}${profiles ? ` and ${profiles.length} profiles` : ""}.`);
    return;
  }
  const { url, key, replace = false } = options;
  const worker = { url, ...(key && { key }) };
  if (options.profiles === undefined) {
    const generation = await putTaskInWorker(worker, task.name, options.task, replace);
    console.log(`Pushed task ${task.name} as generation ${generation}.`);
    return;
  }
  const files = { name: task.name, task: options.task, profiles: options.profiles };
  const { generation, counts } = await pushToWorker(worker, files, replace);
  console.log(`Pushed task ${task.name} as generation ${generation}. Profiles: ${describeCounts(counts)}`);
  if (counts.failed > 0) process.exitCode = EXIT.failed;
}

const EXAMPLES = exampleText(
  "push --task runs/tickets/task.json --profiles runs/tickets/profiles.ndjson",
  "push --task runs/helpdesk/task.json",
  "push --task task.json --profiles profiles.ndjson --url https://xpeft-edge.ACCOUNT.workers.dev",
);

/** `xpeft push`: checks a trained task and its profiles, then writes them. */
export function registerPush(program: Command): void {
  const command = program
    .command("push")
    .description("write a trained task with its profiles to the local database, or to a running Worker with --url")
    .requiredOption("--task <file>", "the training's task.json")
    .option("--profiles <file>", "the training's profiles.ndjson; without it, the task alone is written")
    .addOption(bundleOption())
    .addOption(urlOption("write to the Worker at this address; lines that fail do not stop the others"))
    .addOption(keyOption(["admin", "write"], "with --url: "))
    .option("--replace", "with --url: delete existing profiles if they were learnt with another head")
    .addHelpText("after", EXAMPLES);
  addDatabaseOptions(command, "url").action(push);
}
