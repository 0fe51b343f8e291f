import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import type { Shards } from "../../src/sharding/shards.ts";

/** The two real databases of the tests in workerd, by their numbers. */
export const DATABASES = [env.DB, env.OTHER_DB] as const;

/** Shards over databases. */
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

/** Makes the second database as the first one is made before each test, and tells both their places. */
export async function prepareShards(): Promise<void> {
  await applyD1Migrations(env.OTHER_DB, env.MIGRATIONS);
  for (const [number, database] of DATABASES.entries()) {
    await database.exec(`INSERT INTO shard (number, count) VALUES (${number}, ${DATABASES.length})`);
  }
}
