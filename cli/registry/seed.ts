import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { DEFAULT_BUNDLE, DEMO_FOLDER, readBundle, readProfilesFile, readTaskFile } from "../../node/files.ts";
import { createPush } from "../../src/storage/push.ts";
import { createTaskRegistry } from "../../src/storage/tasks.ts";
import { withLoneDatabase } from "../database.ts";

interface SeedOptions {
  readonly demo: string;
  readonly bundle: string;
  readonly persistTo?: string;
}

/** `xpeft seed`: pushes the demo's tasks that the database has not, or has as trained on another bundle. */
export function registerSeed(program: Command): void {
  program
    .command("seed")
    .description("push the demo tasks that are missing or were trained on another bundle; all other rows are left")
    .option("--demo <folder>", "a folder with one folder a task: task.json, profiles.ndjson", DEMO_FOLDER)
    .option("--bundle <folder>", "the bundle that they must have been trained on", DEFAULT_BUNDLE)
    .option("--persist-to <folder>", "where the local database is, as given to wrangler dev")
    .action(async (options: SeedOptions) => {
      const bundle = await readBundle(options.bundle);
      const entries = await readdir(options.demo, { withFileTypes: true });
      const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(options.demo, name));
      await withLoneDatabase(options.persistTo, async (db) => {
        const push = createPush(db);
        const registry = createTaskRegistry(db);
        for (const folder of folders) {
          const task = await readTaskFile(join(folder, "task.json"), bundle);
          const {
            items: [stored],
          } = await registry.list({ limit: 1, after: "" }, task.name);
          if (stored?.bundle === task.bundle) continue;
          const profiles = await readProfilesFile(join(folder, "profiles.ndjson"), task, bundle);
          await push(task, profiles);
          console.log(`Seeded task ${task.name} with ${profiles.length} profiles.`);
        }
      });
    });
}
