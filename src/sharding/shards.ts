import { XpeftError } from "../errors.ts";
import type { Database } from "../storage/database.ts";

/**
 * The databases that profiles are spread over. Each has every task; a profile, its history and its tombstone are in the
 * one that {@link shardOf} says. There may be one only, which then has everything.
 */
export interface Shards {
  /** How many, from 1. */
  readonly count: number;
  /** @param number from 0 to below `count` */
  at(number: number): Database;
}

/** The database that decides what a task is, and has the keys. The others have copies of its tasks. */
export const FIRST_SHARD = 0;

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** FNV-1a over the ASCII of a text, its bits then mixed as MurmurHash3 ends: the low bits of FNV alone are not even. */
function hash(text: string): number {
  let state = OFFSET;
  for (let place = 0; place < text.length; place++) state = Math.imul(state ^ text.charCodeAt(place), PRIME);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

/**
 * The number of the database that a profile is in. It is part of the format (docs/formats.md): another function would look
 * for every profile in another place.
 *
 * @param count how many databases there are, from 1
 */
export function shardOf({ task, id }: { readonly task: string; readonly id: string }, count: number): number {
  // No name holds a slash, so no two profiles are the same text.
  return hash(`${task}/${id}`) % count;
}

/** Sorts things that belong to profiles of a task by the database that each is in; each database's keep their order. */
export function groupByShard<Item>(
  task: string,
  items: readonly Item[],
  idOf: (item: Item) => string,
  count: number,
): Map<number, Item[]> {
  const sorted = new Map<number, Item[]>();
  for (const item of items) {
    const number = shardOf({ task, id: idOf(item) }, count);
    const there = sorted.get(number);
    if (there) there.push(item);
    else sorted.set(number, [item]);
  }
  return sorted;
}

/** The numbers of all databases. */
export const shardNumbers = ({ count }: Shards): number[] => Array.from({ length: count }, (_, number) => number);

/** A database in a message. */
export const databaseName = ({ count }: Shards, number: number): string => `Database ${number} of ${count}`;

/**
 * Runs work on one of the databases.
 *
 * @throws XpeftError whatever the work throws; `database_unavailable` says which of several databases it was
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
