import { drizzle } from "drizzle-orm/d1";
import type { Context } from "hono";
import { XpeftError } from "../../src/errors.ts";
import { createShardedHistory, createShardedProfileRegistry } from "../../src/sharding/profiles.ts";
import { checkShardMap } from "../../src/sharding/shard-map.ts";
import { FIRST_SHARD, type Shards } from "../../src/sharding/shards.ts";
import { createShardedTaskRegistry } from "../../src/sharding/tasks.ts";
import type { Database } from "../../src/storage/database.ts";
import { BOOKMARK, bookmarksOf } from "../http/bookmarks.ts";
import type { AppEnv, Bindings, Registry } from "../http/env.ts";
import type { ProblemCode } from "../http/problem-codes.ts";

/** Problems of routes that read or write sharded tasks and profiles. */
export const SHARD_PROBLEMS = ["shard_map_mismatch", "shards_out_of_step"] as const satisfies ProblemCode[];

/**
 * Returns the bound databases by their numbers: DB, DB_1 and so on.
 *
 * @throws XpeftError `database_unavailable` if DB is not bound, `shard_map_mismatch` if one between others is not
 */
function boundDatabases(env: Bindings): D1Database[] {
  if (!env.DB) throw noDatabase();
  const databases = [env.DB];
  for (let next = env.DB_1; next; next = env[`DB_${databases.length}`]) databases.push(next);
  const others = Object.keys(env).filter((name) => /^DB_[0-9]+$/.test(name));
  if (others.length >= databases.length) {
    throw new XpeftError(
      "shard_map_mismatch",
      `DB_${databases.length} is not bound, and databases with other numbers are: ${others.join(", ")}.`,
      { reason: "gap" },
    );
  }
  return databases;
}

/** Returns the number of bound databases. */
export const databaseCount = (env: Bindings): number => (env.DB ? boundDatabases(env).length : 0);

function shardsOf<T>(all: readonly T[], open: (one: T, number: number) => Database): Shards {
  const opened = new Map<number, Database>();
  return {
    count: all.length,
    at(number) {
      const one = all[number];
      if (one === undefined) throw new RangeError(`there is no database ${number}`);
      const db = opened.get(number) ?? open(one, number);
      opened.set(number, db);
      return db;
    },
  };
}

/**
 * Opens a session of each database for a request when it is first used. The answer carries the sessions' bookmarks.
 *
 * @param begins "primary": at the primary databases, which have every write. "nearest": at replicas, which may lag, but
 * never behind the request's bookmark
 * @throws XpeftError `database_unavailable` if none is bound
 */
export function openShards(c: Context<AppEnv>, begins: "primary" | "nearest"): Shards {
  const databases = boundDatabases(c.env);
  const received = bookmarksOf(c.req.header(BOOKMARK), databases.length);
  const sessions = new Map<number, D1DatabaseSession>();
  c.set("sessions", { received, opened: sessions, count: databases.length });
  return shardsOf(databases, (database, number) => {
    const start = begins === "primary" ? "first-primary" : received[number] || "first-unconstrained";
    const session = database.withSession(start);
    sessions.set(number, session);
    // Drizzle's driver calls only methods that a session has, but does not know its type.
    return drizzle(session as unknown as D1Database);
  });
}

/** Databases whose place in the shard map was checked. It cannot change while the isolate lives. */
const checked = new WeakSet<D1Database>();

/**
 * Opens tasks, profiles and history at the primary databases. The shard map is checked once an isolate.
 *
 * @throws XpeftError `shard_map_mismatch`, or `database_unavailable` if none is bound or one fails
 */
export async function openRegistry(c: Context<AppEnv>): Promise<Registry> {
  const shards = openShards(c, "primary");
  const databases = boundDatabases(c.env);
  if (!databases.every((database) => checked.has(database))) {
    await checkShardMap(shards);
    for (const database of databases) checked.add(database);
  }
  return {
    shards,
    tasks: createShardedTaskRegistry(shards),
    profiles: createShardedProfileRegistry(shards),
    history: createShardedHistory(shards),
  };
}

/** Returns the databases without sessions, for work whose answer carries no bookmark. */
export function shardsWithoutSessions(env: Bindings): Shards {
  return shardsOf(boundDatabases(env), (database) => drizzle(database));
}

/** Returns the database that stores the keys, without a session. */
export function keyDatabase(env: Bindings): Database {
  return shardsWithoutSessions(env).at(FIRST_SHARD);
}

function noDatabase(): XpeftError {
  return new XpeftError("database_unavailable", "This deploy has no database.", { reason: "unbound" });
}
