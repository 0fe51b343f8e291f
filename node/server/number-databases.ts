import { shard, tasks } from "../../schema/tables.ts";
import { readPlace } from "../../src/sharding/shard-map.ts";
import type { OpenDatabase } from "./open-database.ts";

/**
 * Writes its number into each of several new databases. Databases that have a number or tasks stay as they are: the
 * server then checks their places itself.
 */
export async function numberDatabases(databases: readonly OpenDatabase[]): Promise<void> {
  if (databases.length === 1) return;
  for (const [number, { db }] of databases.entries()) {
    const isNew = (await readPlace(db)) === null && (await db.select().from(tasks).limit(1)).length === 0;
    if (isNew) await db.insert(shard).values({ number, count: databases.length });
  }
}
