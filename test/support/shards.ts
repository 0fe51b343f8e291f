import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import type { Shards } from "../../src/sharding/shards.ts";

/** The two databases of the tests in workerd, by number. */
export const DATABASES = [env.DB, env.OTHER_DB] as const;

/** Returns shards over these databases. */
export function shardsOver(databases: readonly D1Database[]): Shards {
  return {
    count: databases.length,
    at(number) {
      const database = databases[number];
      if (!database) throw new RangeError(`no database ${number}`);
      return drizzle(database);
    },
  };
}

/** Migrates the second database like the first one, and writes each database's number. */
export async function prepareShards(): Promise<void> {
  await applyD1Migrations(env.OTHER_DB, env.MIGRATIONS);
  for (const [number, database] of DATABASES.entries()) {
    await database.exec(`INSERT INTO shard (number, count) VALUES (${number}, ${DATABASES.length})`);
  }
}
