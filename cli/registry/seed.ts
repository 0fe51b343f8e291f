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

/**
 * Writes the demo's tasks, unless the database has them for this bundle.
 *
 * @param bundleFolder the folder of the bundle
 * @param demo a folder with a folder for each task
 * @param print shows what was written
 */
export async function seedDemo(
  db: Database,
  bundleFolder: string,
  demo = DEMO_FOLDER,
  print = console.log,
): Promise<void> {
  const bundle = await readBundle(bundleFolder);
  const entries = await readdir(demo, { withFileTypes: true }).catch((cause: unknown) => {
    throw new CommandError(`${demo} cannot be read.`, "Name a folder that has a folder for each task: --demo", {
      cause,
    });
  });
  const push = createPush(db);
  const registry = createTaskRegistry(db);
  for (const folder of entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(demo, name))) {
    const task = await readTaskFile(join(folder, "task.json"), bundle);
    const { items } = await registry.list({ limit: 1, after: "" }, task.name);
    if (items[0]?.bundle === task.bundle) continue;
    const profiles = await readProfilesFile(join(folder, "profiles.ndjson"), task, bundle);
    await push(task, profiles);
    print(`Seeded task ${task.name} with ${profiles.length} profiles.`);
  }
}

async function seed({ demo, bundle, ...database }: SeedOptions): Promise<void> {
  await withSingleDatabase(database, (db) => seedDemo(db, bundle, demo));
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
