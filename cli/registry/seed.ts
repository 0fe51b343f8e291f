import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { CommandError } from "../../node/errors.ts";
import { DEMO_FOLDER, readBundle, readProfilesFile, readTaskFile } from "../../node/files.ts";
import type { Database } from "../../src/storage/database.ts";
import { createPush } from "../../src/storage/push.ts";
import { createTaskRegistry } from "../../src/storage/tasks.ts";
import { bundleOption } from "../bundle-option.ts";
import { withSingleDatabase } from "../database.ts";
import { addDatabaseOptions, type DatabaseOptions } from "../options.ts";

interface SeedOptions extends DatabaseOptions {
  readonly demo: string;
  readonly bundle: string;
}

/** Returns the folders of a demo's tasks. @throws CommandError if it cannot be read */
export async function demoFolders(demo = DEMO_FOLDER): Promise<string[]> {
  const entries = await readdir(demo, { withFileTypes: true }).catch((cause: unknown) => {
    throw new CommandError(`${demo} cannot be read.`, "Name a folder that has a folder for each task: --demo", {
      cause,
    });
  });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(demo, name));
}

/**
 * Writes tasks with their profiles, unless the database has them for this bundle.
 *
 * @param folders with a `task.json` and a `profiles.ndjson` each
 * @param bundleFolder the folder of the bundle
 * @param print shows what was written
 */
export async function seedTasks(
  db: Database,
  folders: readonly string[],
  bundleFolder: string,
  print = console.log,
): Promise<void> {
  const bundle = await readBundle(bundleFolder);
  const push = createPush(db);
  const registry = createTaskRegistry(db);
  for (const folder of folders) {
    const task = await readTaskFile(join(folder, "task.json"), bundle);
    const { items } = await registry.list({ limit: 1, after: "" }, task.name);
    if (items[0]?.bundle === task.bundle) continue;
    const profiles = await readProfilesFile(join(folder, "profiles.ndjson"), task, bundle);
    await push(task, profiles);
    print(`Seeded task ${task.name} with ${profiles.length} profiles.`);
  }
}

async function seed({ demo, bundle, ...database }: SeedOptions): Promise<void> {
  const folders = await demoFolders(demo);
  await withSingleDatabase(database, (db) => seedTasks(db, folders, bundle));
}

/** `xpeft seed`: writes the demo's tasks to the local database, unless it has them for this bundle. */
export function registerSeed(program: Command): void {
  const command = program
    .command("seed")
    .description("write the demo's tasks to the local database, if missing or trained on another bundle")
    .option("--demo <folder>", "folder with a folder for each task: task.json, profiles.ndjson", DEMO_FOLDER)
    .addOption(bundleOption());
  addDatabaseOptions(command).action(seed);
}
