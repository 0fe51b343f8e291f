import { shard, tasks } from "../../schema/tables.ts";
import { checkShardMap, readPlace } from "../../src/sharding/shard-map.ts";
import { libsqlDatabases } from "./databases.ts";
import type { OpenDatabase } from "./open-database.ts";

/** Returns whether a database has neither a number nor a task. */
const isNew = async ({ db }: OpenDatabase): Promise<boolean> =>
  (await readPlace(db)) === null && (await db.select().from(tasks).limit(1)).length === 0;

/**
 * Writes its number into each of several databases if all of them are new, and checks the places of all.
 *
 * @throws XpeftError `shard_map_mismatch` if they are not the databases that profiles were spread over, in their order
 */
export async function numberDatabases(databases: readonly OpenDatabase[]): Promise<void> {
  const { length: count } = databases;
  if (count > 1 && (await Promise.all(databases.map(isNew))).every(Boolean)) {
    // Another server may start at the same time.
    for (const [number, { db }] of databases.entries())
      await db.insert(shard).values({ only: 1, number, count }).onConflictDoNothing();
  }
  await checkShardMap({ count, at: libsqlDatabases(databases).open });
}
