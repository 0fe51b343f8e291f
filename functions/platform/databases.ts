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

/** Problems of routes that read or write tasks and profiles, where these are spread over several databases. */
export const SHARD_PROBLEMS = ["shard_map_mismatch", "shards_out_of_step"] as const satisfies ProblemCode[];

/**
 * The databases that are bound, by their numbers: DB, DB_1 and so on.
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
      "Bind the databases that the profiles are spread over as DB, DB_1, DB_2 and so on, without a gap.",
    );
  }
  return databases;
}

/** How many databases are bound; 0 if there is none. */
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
 * Opens a session of each database for a request, once it is needed. The answer gets the sessions' bookmarks.
 *
 * @param begins at the primary databases, which have every write; or at whatever replicas are near, which may lag behind,
 * but not behind the bookmark that the request brings
 * @throws XpeftError `database_unavailable` if none is bound
 */
export function openShards(c: Context<AppEnv>, begins: "primary" | "nearest"): Shards {
  const databases = boundDatabases(c.env);
  const brought = bookmarksOf(c.req.header(BOOKMARK), databases.length);
  const sessions = new Map<number, D1DatabaseSession>();
  c.set("sessions", { brought, opened: sessions, count: databases.length });
  return shardsOf(databases, (database, number) => {
    const start = begins === "primary" ? "first-primary" : brought[number] || "first-unconstrained";
    const session = database.withSession(start);
    sessions.set(number, session);
    // Drizzle's driver calls no other methods than a session has, but does not know its type.
    return drizzle(session as unknown as D1Database);
  });
}

/** Databases that were found in their places; they stay there for as long as the isolate lives. */
const placed = new WeakSet<D1Database>();

/**
 * Opens sessions at the primary databases, for reading and writing tasks and profiles one by one. That the databases are in
 * their places is asked once in an isolate.
 *
 * @throws XpeftError `shard_map_mismatch`, or `database_unavailable` if none is bound or one fails
 */
export async function openRegistry(c: Context<AppEnv>): Promise<Registry> {
  const shards = openShards(c, "primary");
  const databases = boundDatabases(c.env);
  if (!databases.every((database) => placed.has(database))) {
    await checkShardMap(shards);
    for (const database of databases) placed.add(database);
  }
  return {
    shards,
    tasks: createShardedTaskRegistry(shards),
    profiles: createShardedProfileRegistry(shards),
    history: createShardedHistory(shards),
  };
}

/** The databases without sessions, for what has no answer to give a bookmark to. */
export function shardsWithoutSessions(env: Bindings): Shards {
  return shardsOf(boundDatabases(env), (database) => drizzle(database));
}

/** The database that has the keys, without a session. */
export function keyDatabase(env: Bindings): Database {
  return shardsWithoutSessions(env).at(FIRST_SHARD);
}

function noDatabase(): XpeftError {
  return new XpeftError(
    "database_unavailable",
    "This deploy has no database.",
    "Send a profile token, or bind a D1 database named DB in wrangler.toml.",
  );
}
