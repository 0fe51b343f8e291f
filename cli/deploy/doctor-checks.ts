import { readdir } from "node:fs/promises";
import { sql } from "drizzle-orm";
import { unwrap } from "../../client/index.ts";
import { CommandError } from "../../node/errors.ts";
import { readBundle } from "../../node/files.ts";
import { packagePath } from "../../node/package.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { createTaskRegistry } from "../../src/storage/tasks.ts";
import { libsqlUrl, withDatabase } from "../database.ts";
import type { DatabaseOptions, WorkerOutputOptions } from "../options.ts";
import { createProgressBar } from "../progress.ts";
import { listTasks } from "../registry/tasks.ts";
import { openClient, readAllPages } from "../worker-client.ts";
import { verifyBundle } from "./bundle.ts";
import { checkRows } from "./doctor-rows.ts";

/** The options of `xpeft doctor`. */
export interface DoctorOptions extends WorkerOutputOptions, DatabaseOptions {
  readonly bundle: string;
  readonly db?: boolean;
}

/** A check of `xpeft doctor`. */
export interface Check {
  readonly name: string;
  /** Whether it runs only if the Worker, and so its database, is on this machine. */
  readonly local?: true;
  /** Whether it runs only with --db, because it reads every row. */
  readonly db?: true;
  /** Returns the outcome in words. Throws an error that says what is wrong and what to do. */
  run(options: DoctorOptions): Promise<string>;
}

/** @throws CommandError if a task was trained on another bundle */
function checkTaskBundles(
  tasks: readonly { readonly name: string; readonly bundle: string }[],
  { taskBundles }: Pick<Bundle, "taskBundles">,
): string {
  const different = tasks.filter(({ bundle }) => !taskBundles.includes(bundle));
  if (different.length === 0) return `all ${tasks.length} tasks fit this bundle`;
  throw new CommandError(
    `${different.length} of ${tasks.length} tasks were trained on another bundle: ${different.map(({ name }) => name).join(", ")}.`,
    "Train them again on this bundle and push them, or serve the bundle that they were trained on.",
  );
}

const bundleCheck: Check = {
  name: "bundle",
  async run({ bundle }) {
    const { id, files } = await verifyBundle(bundle);
    return `${id}: all ${files} files match the manifest, and a test prediction succeeded`;
  },
};

const databaseCheck: Check = {
  name: "local database",
  local: true,
  async run(options) {
    const bundle = await readBundle(options.bundle);
    const migrations = (await readdir(packagePath("schema/migrations"))).filter((name) => name.endsWith(".sql"));
    return await withDatabase(options, async (db) => {
      // xpeft serve applies its migrations itself, and so does this command.
      const isD1 = libsqlUrl(options) === undefined;
      const rows = await db.all<{ name: string }>(sql`SELECT name FROM d1_migrations`).catch(() => []);
      const applied = new Set(rows.map(({ name }) => name));
      const missing = isD1 ? migrations.filter((name) => !applied.has(name)) : [];
      if (missing.length > 0) {
        throw new CommandError(
          `Migrations are missing: ${missing.join(", ")}.`,
          "Apply them with npm start, or with: npx wrangler d1 migrations apply DB --local",
        );
      }
      const registry = createTaskRegistry(db);
      const tasks = readAllPages(async (query) => {
        const { items, next } = await registry.list(query, null);
        return { rows: items, next };
      });
      return checkTaskBundles(await Array.fromAsync(tasks), bundle);
    });
  },
};

const workerCheck: Check = {
  name: "Worker",
  async run(options) {
    const { id } = await readBundle(options.bundle);
    const health = await unwrap(openClient(options).healthz.$get());
    if (health.bundle === id) return `${options.url} is healthy, and serves this bundle`;
    throw new CommandError(
      `${options.url} serves bundle ${health.bundle}, but ${options.bundle} is bundle ${id}.`,
      "Deploy this bundle, or name the folder of the other one: --bundle",
    );
  },
};

const workerTasksCheck: Check = {
  name: "Worker's tasks",
  async run(options) {
    const bundle = await readBundle(options.bundle);
    const tasks = listTasks(openClient(options));
    return checkTaskBundles(await Array.fromAsync(tasks, ({ task, bundle }) => ({ name: task, bundle })), bundle);
  },
};

const rowsCheck: Check = {
  name: "rows",
  db: true,
  async run(options) {
    const bundle = await readBundle(options.bundle);
    const progress = createProgressBar("rows", undefined, !options.json);
    return await checkRows(openClient(options), bundle, progress).finally(() => progress.stop());
  },
};

/** All checks, in the order in which they run. */
export const CHECKS: readonly Check[] = [bundleCheck, databaseCheck, workerCheck, workerTasksCheck, rowsCheck];
