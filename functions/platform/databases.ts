import { drizzle } from "drizzle-orm/d1";
import type { Databases } from "../../app/platform/platform.ts";
import { XpeftError } from "../../src/errors.ts";
import type { Bindings } from "./bindings.ts";

/**
 * Returns the bound databases by their numbers: DB, DB_1 and so on.
 *
 * @throws XpeftError `shard_map_mismatch` if one between others is not bound
 */
function boundDatabases(env: Bindings): D1Database[] {
  if (!env.DB) return [];
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

/** Returns the D1 databases of wrangler.toml. Their sessions read from replicas, and have bookmarks. */
export function d1Databases(env: Bindings): Databases {
  function at(number: number): D1Database {
    const database = boundDatabases(env)[number];
    if (!database) throw new RangeError(`there is no database ${number}`);
    return database;
  }
  return {
    count: () => boundDatabases(env).length,
    open: (number) => drizzle(at(number)),
    openSession(number, start) {
      const session = at(number).withSession(
        start === "primary" ? "first-primary" : start.bookmark || "first-unconstrained",
      );
      return {
        // Drizzle's driver calls only methods that a session has, but does not know its type.
        db: drizzle(session as unknown as D1Database),
        bookmark: () => session.getBookmark(),
      };
    },
  };
}
