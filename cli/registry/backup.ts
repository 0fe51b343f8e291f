import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { CommandError } from "../../node/errors.ts";
import { parseTaskName } from "../arguments.ts";
import { exampleText } from "../command-line.ts";
import { addWorkerOutputOptions, type WorkerOptions, type WorkerOutputOptions } from "../options.ts";
import { printResult } from "../output.ts";
import { openClient } from "../worker-client.ts";
import { writeOutput } from "../write-output.ts";
import { type BackupIndex, type BackupTask, INDEX, measureFile, selectTasks } from "./backup-files.ts";
import { downloadProfiles } from "./profiles-pull.ts";
import { downloadTask, listTasks } from "./tasks.ts";

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw new CommandError(`The folder ${path} cannot be created.`, "Name a new folder in one that you may write to.", {
      cause,
    });
  });
}

const readTasks = (options: WorkerOptions) => Array.fromAsync(listTasks(openClient(options)));

async function backup(folder: string, names: readonly string[], options: WorkerOutputOptions): Promise<void> {
  if (existsSync(join(folder, INDEX)))
    throw new CommandError(`${folder} already has a backup.`, "Name a new folder for this one.");
  await makeFolder(folder);
  const tasks: BackupTask[] = [];
  for (const { task, bundle, generation } of selectTasks(await readTasks(options), names, options.url)) {
    await makeFolder(join(folder, task));
    const paths = { task: `${task}/task.json`, profiles: `${task}/profiles.ndjson` };
    await downloadTask(options, task, join(folder, paths.task));
    const profiles = await downloadProfiles(options, task, { path: join(folder, paths.profiles), prefix: "" });
    const latest = (await readTasks(options)).find((row) => row.task === task);
    if (latest?.generation !== generation)
      throw new CommandError(
        `Task "${task}" was written during the backup, so its profiles may belong to another head.`,
        "Run the command again.",
      );
    const files = { task: await measureFile(folder, paths.task), profiles: await measureFile(folder, paths.profiles) };
    tasks.push({ task, bundle, profiles, files });
  }
  const index: BackupIndex = { format: "xpeft-backup/1", createdAt: new Date().toISOString(), tasks };
  await writeOutput(join(folder, INDEX), [`${JSON.stringify(index, null, 2)}\n`]);
  printResult(options, index, () => {
    const counts = tasks.map(({ task, profiles }) => `${task}: ${profiles} profiles`);
    return [...counts, `The backup is in ${folder}.`].join("\n");
  });
}

/** Collects the names of tasks from the command line. */
export const collectTaskNames = (name: string, names: readonly string[] = []) => [...names, parseTaskName(name)];

/** `xpeft backup`: saves tasks and profiles of a running Worker as files with checksums. */
export function registerBackup(program: Command): void {
  const command = program
    .command("backup")
    .description("save tasks with their profiles as files with checksums; without keys and histories")
    .argument("<folder>", "folder to write to; it is created if missing")
    .argument("[tasks...]", "names of tasks (default: all)", collectTaskNames)
    .addHelpText("after", exampleText("backup backups/monday", "backup backups/news news"));
  addWorkerOutputOptions(command, ["predict", "write"]).action(
    (folder: string, names: string[] | undefined, options: WorkerOutputOptions) => backup(folder, names ?? [], options),
  );
}
