import { XpeftError } from "../errors.ts";
import type { Database } from "../storage/database.ts";

/**
 * The databases that profiles are spread over. Each has every task; a profile, its history and its tombstone are in the
 * database that {@link shardOf} returns. A single database has everything.
 */
export interface Shards {
  /** The number of databases, from 1. */
  readonly count: number;
  /** Returns a database. @param number from 0 to below `count` */
  at(number: number): Database;
}

/** The database that has the keys and decides writes of tasks. The others have copies of its tasks. */
export const FIRST_SHARD = 0;

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** Returns FNV-1a over a text's ASCII with the finalizer of MurmurHash3: FNV's low bits alone are uneven. */
function hash(text: string): number {
  let state = OFFSET;
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), PRIME);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

/**
 * Returns the number of a profile's database. It is part of the format (docs/formats.md): another function would look
 * profiles up in other databases.
 *
 * @param count the number of databases, from 1
 */
export function shardOf({ task, id }: { readonly task: string; readonly id: string }, count: number): number {
  // Names have no slash, so different profiles give different texts.
  return hash(`${task}/${id}`) % count;
}

/** Groups items of a task's profiles by their databases; the order within a database stays. */
export function groupByShard<Item>(
  task: string,
  items: readonly Item[],
  idOf: (item: Item) => string,
  count: number,
): Map<number, Item[]> {
  return Map.groupBy(items, (item) => shardOf({ task, id: idOf(item) }, count));
}

/** Returns the numbers of all databases. */
export const shardNumbers = ({ count }: Shards): number[] => Array.from({ length: count }, (_, number) => number);

/** Returns how messages name a database. */
export const databaseName = ({ count }: Shards, number: number): string => `Database ${number} of ${count}`;

/**
 * Runs work on one of the databases.
 *
 * @throws XpeftError the work's errors; `database_unavailable` names the database if there are several
 */
export async function onShard<T>(shards: Shards, number: number, work: (db: Database) => Promise<T>): Promise<T> {
  try {
    return await work(shards.at(number));
  } catch (error) {
    if (shards.count === 1 || !(error instanceof XpeftError) || error.code !== "database_unavailable") throw error;
    throw new XpeftError("database_unavailable", `${databaseName(shards, number)} failed on a query.`, {
      reason: "shard",
      cause: error.cause ?? error,
    });
  }
}
