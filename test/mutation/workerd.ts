import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type D1Migration, readD1Migrations } from "@cloudflare/vitest-plugin";
import { createD1 } from "./d1.ts";

// Replaces the modules `cloudflare:workers` and `cloudflare:test`, so that tests for workerd run in Node. A mutant's
// run then takes a second; starting workerd alone takes several. `npm test` runs these tests in workerd.

const BUNDLE = "bundles/minilm-l6-v2";

export const env = {
  DB: createD1(),
  OTHER_DB: createD1(),
  MIGRATIONS: await readD1Migrations("schema/migrations"),
  ASSETS: {
    fetch: async (url: string) => new Response(await readFile(join(BUNDLE, new URL(url).pathname))),
  },
};

/** Empties the databases. */
export async function reset(): Promise<void> {
  for (const db of [env.DB, env.OTHER_DB]) {
    const { results } = await db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all<{ name: string }>();
    for (const { name } of results) await db.exec(`DROP TABLE "${name}"`);
  }
}

/** Applies migrations to an empty database. */
export async function applyD1Migrations(db: D1Database, migrations: D1Migration[]): Promise<void> {
  for (const { queries } of migrations) for (const query of queries) await db.exec(query);
}
