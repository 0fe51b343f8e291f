import { sql } from "drizzle-orm";
import { XpeftError } from "../errors.ts";
import { type Database, withDatabaseErrors } from "../storage/database.ts";
import { shardPlaceSql } from "../storage/sql.ts";
import { databaseName, onShard, type Shards, shardNumbers } from "./shards.ts";

/**
 * Checks that a database is bound in its own place: otherwise its profiles would be looked up elsewhere.
 *
 * @param place the place that the database has stored; a single database may have none
 * @throws XpeftError `shard_map_mismatch`
 */
export function checkPlace(shards: Shards, number: number, place: string | null): void {
  const expected = `${number}/${shards.count}`;
  if (place === expected || (place === null && shards.count === 1)) return;
  const claim = place === null ? "the only one" : `number ${place.replace("/", " of ")}`;
  const message = `${databaseName(shards, number)} says that it is ${claim}.`;
  throw new XpeftError("shard_map_mismatch", message, { reason: "place" });
}

/**
 * Returns a database's own place: "1/2" for database 1 of 2; null if it has none.
 *
 * @throws XpeftError `database_unavailable`
 */
export async function readPlace(db: Database): Promise<string | null> {
  const [row] = await withDatabaseErrors(() => db.select({ place: shardPlaceSql }).from(sql`(SELECT 1)`));
  return row?.place ?? null;
}

/**
 * Checks the place of every database.
 *
 * @throws XpeftError `shard_map_mismatch`, or `database_unavailable` if one fails
 */
export async function checkShardMap(shards: Shards): Promise<void> {
  await Promise.all(
    shardNumbers(shards).map(async (number) => checkPlace(shards, number, await onShard(shards, number, readPlace))),
  );
}
