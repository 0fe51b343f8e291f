import { join } from "node:path";
import { drizzle } from "drizzle-orm/d1";
import { CommandError } from "../node/errors.ts";
import { readPlace } from "../src/sharding/shard-map.ts";
import type { Database } from "../src/storage/database.ts";

/**
 * Runs work on the local database, which `wrangler dev` serves.
 *
 * @param persistTo the folder given to `wrangler dev --persist-to`; by default wrangler's own
 * @throws CommandError if wrangler is not installed
 */
export async function withDatabase<T>(persistTo: string | undefined, work: (db: Database) => Promise<T>): Promise<T> {
  // By default wrangler prints the names of its secrets files on stdout, where a script may expect a key.
  process.env.WRANGLER_LOG ??= "warn";
  const { getPlatformProxy } = await import("wrangler").catch((cause: unknown) => {
    throw new CommandError(
      "The local database needs wrangler, which is not installed.",
      "npm install --save-dev wrangler",
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

/**
 * Runs work that writes profiles on the local database, as {@link withDatabase} does.
 *
 * @throws CommandError if profiles are spread over several databases
 */
export async function withSingleDatabase<T>(
  persistTo: string | undefined,
  work: (db: Database) => Promise<T>,
): Promise<T> {
  return await withDatabase(persistTo, async (db) => {
    if ((await readPlace(db)) === null) return await work(db);
    throw new CommandError(
      "The profiles here are spread over several databases. This command writes to a single one.",
      "Write through a running Worker, which knows the database of each profile: xpeft push --url URL",
    );
  });
}
