import type { Context } from "hono";
import { XpeftError } from "../../src/errors.ts";
import { createShardedHistory, createShardedProfileRegistry } from "../../src/sharding/profiles.ts";
import { checkShardMap } from "../../src/sharding/shard-map.ts";
import { FIRST_SHARD, type Shards } from "../../src/sharding/shards.ts";
import { createShardedTaskRegistry } from "../../src/sharding/tasks.ts";
import type { Database } from "../../src/storage/database.ts";
import { BOOKMARK, bookmarksOf } from "../http/bookmarks.ts";
import type { AppEnv, Registry } from "../http/env.ts";
import type { ProblemCode } from "../http/problem-codes.ts";
import type { Databases, Platform, Session } from "../platform/platform.ts";

/** Problems of routes that read or write sharded tasks and profiles. */
export const SHARD_PROBLEMS = ["shard_map_mismatch", "shards_out_of_step"] as const satisfies ProblemCode[];

/** Returns the number of databases. @throws XpeftError `database_unavailable` if there is none */
function countOf(databases: Databases): number {
  const count = databases.count();
  if (count > 0) return count;
  throw new XpeftError("database_unavailable", "This deploy has no database.", { reason: "unbound" });
}

function shardsOf(count: number, open: (number: number) => Database): Shards {
  const opened = new Map<number, Database>();
  return {
    count,
    at(number) {
      const db = opened.get(number) ?? open(number);
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
 * @throws XpeftError `database_unavailable` if there is none
 */
export function openShards(c: Context<AppEnv>, begins: "primary" | "nearest"): Shards {
  const { databases } = c.env.platform;
  const count = countOf(databases);
  const received = bookmarksOf(c.req.header(BOOKMARK), count);
  const sessions = new Map<number, Session>();
  c.set("sessions", { received, opened: sessions, count });
  return shardsOf(count, (number) => {
    const start = begins === "primary" ? begins : { bookmark: received[number] ?? "" };
    const session = databases.openSession(number, start);
    sessions.set(number, session);
    return session.db;
  });
}

/** Platforms whose places in the shard map were checked. They cannot change while the isolate lives. */
const checked = new WeakSet<Platform>();

/**
 * Opens tasks, profiles and history at the primary databases. The shard map is checked once.
 *
 * @throws XpeftError `shard_map_mismatch`, or `database_unavailable` if there is none or one fails
 */
export async function openRegistry(c: Context<AppEnv>): Promise<Registry> {
  const shards = openShards(c, "primary");
  if (!checked.has(c.env.platform)) {
    await checkShardMap(shards);
    checked.add(c.env.platform);
  }
  return {
    shards,
    tasks: createShardedTaskRegistry(shards),
    profiles: createShardedProfileRegistry(shards),
    history: createShardedHistory(shards),
  };
}

/** Returns the databases without sessions, for work whose answer carries no bookmark. */
export function shardsWithoutSessions({ databases }: Platform): Shards {
  return shardsOf(countOf(databases), (number) => databases.open(number));
}

/** Returns the database that stores the keys, without a session. */
export function keyDatabase(platform: Platform): Database {
  return shardsWithoutSessions(platform).at(FIRST_SHARD);
}
