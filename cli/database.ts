import { existsSync } from "node:fs";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/d1";
import { CommandError } from "../node/errors.ts";
import { readPlace } from "../src/sharding/shard-map.ts";
import type { Database } from "../src/storage/database.ts";
import type { DatabaseOptions } from "./options.ts";

const FILE = "file:";

/** Runs work on the database of `xpeft serve`, with its migrations applied. */
async function withLibsql<T>(url: string, work: (db: Database) => Promise<T>): Promise<T> {
  const { openDatabase, migrateDatabase } = await import("../node/server/open-database.ts");
  if (url.startsWith(FILE) && !existsSync(url.slice(FILE.length))) {
    throw new CommandError(`There is no database ${url}.`, `xpeft serve makes it: xpeft serve --database ${url}`);
  }
  const opened = await openDatabase(url, process.env.XPEFT_DATABASE_TOKEN);
  try {
    await migrateDatabase(opened);
    return await work(opened.db);
  } finally {
    opened.client.close();
  }
}

/** Runs work on the local database that `wrangler dev` serves. */
async function withLocalD1<T>(persistTo: string | undefined, work: (db: Database) => Promise<T>): Promise<T> {
  // By default wrangler prints the names of its secrets files on stdout, where a script may expect a key.
  process.env.WRANGLER_LOG ??= "warn";
  const { getPlatformProxy } = await import("wrangler").catch((cause: unknown) => {
    throw new CommandError(
      "The local D1 database needs wrangler, which is not installed.",
      "Name the database of xpeft serve with --database, or install wrangler: npm install --save-dev wrangler",
      { cause },
    );
  });
  const proxy = await getPlatformProxy<{ DB: D1Database }>({
    remoteBindings: false,
    persist: persistTo === undefined ? true : { path: join(persistTo, "v3") },
  });
  try {
    return await work(drizzle(proxy.env.DB));
  } finally {
    await proxy.dispose();
  }
}

/** Returns the URL of the database of `xpeft serve` that options or environment name; undefined for the local D1 database. */
export function libsqlUrl({ database, persistTo }: DatabaseOptions): string | undefined {
  // Keys are in the first of several databases.
  const [first] = (process.env.XPEFT_DATABASE ?? "").trim().split(/\s+/);
  return database ?? (persistTo === undefined ? first || undefined : undefined);
}

/**
 * Runs work on the database that a command's options name.
 *
 * @throws CommandError if there is none, or wrangler is needed for it and not installed
 */
export async function withDatabase<T>(options: DatabaseOptions, work: (db: Database) => Promise<T>): Promise<T> {
  const url = libsqlUrl(options);
  return url === undefined ? await withLocalD1(options.persistTo, work) : await withLibsql(url, work);
}

/**
 * Runs work that writes profiles on the database that a command's options name, as {@link withDatabase} does.
 *
 * @throws CommandError if profiles are spread over several databases
 */
export async function withSingleDatabase<T>(options: DatabaseOptions, work: (db: Database) => Promise<T>): Promise<T> {
  return await withDatabase(options, async (db) => {
    if ((await readPlace(db)) === null) return await work(db);
    throw new CommandError(
      "The profiles here are spread over several databases. This command writes to a single one.",
      "Write through a running Worker, which knows the database of each profile: xpeft push --url URL",
    );
  });
}
