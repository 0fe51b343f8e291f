import { join } from "node:path";
import { drizzle } from "drizzle-orm/d1";
import type { Bindings } from "../functions/http/env.ts";
import { CommandError } from "../node/errors.ts";
import { readPlace } from "../src/sharding/shard-map.ts";
import type { Database } from "../src/storage/database.ts";

/**
 * Runs work on the local database, the one that `wrangler dev` serves.
 *
 * @param persistTo the folder given to `wrangler dev --persist-to`, if it was given one
 */
export async function withDatabase<T>(persistTo: string | undefined, work: (db: Database) => Promise<T>): Promise<T> {
  // Wrangler names the files that it reads secrets from, on stdout: a script may be taking a key from there.
  process.env.WRANGLER_LOG ??= "warn";
  const { getPlatformProxy } = await import("wrangler").catch((cause: unknown) => {
    throw new CommandError(
      "The local database is wrangler's, which is not installed.",
      "npm install --save-dev wrangler",
      {
        cause,
      },
    );
  });
  const proxy = await getPlatformProxy<Required<Pick<Bindings, "DB">>>({
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
 * {@link withDatabase}, for work that writes profiles: where they are spread over several databases, this is one of them.
 *
 * @throws CommandError if it is
 */
export async function withLoneDatabase<T>(
  persistTo: string | undefined,
  work: (db: Database) => Promise<T>,
): Promise<T> {
  return await withDatabase(persistTo, async (db) => {
    if ((await readPlace(db)) === null) return await work(db);
    throw new CommandError(
      "Profiles are spread over several databases here, and this command writes a single one.",
      "Write the task by PUT /v1/tasks/{task} and its profiles by POST /v1/tasks/{task}/import: the Worker knows where each belongs.",
    );
  });
}
