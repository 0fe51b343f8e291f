import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type D1Migration, readD1Migrations } from "@cloudflare/vitest-plugin";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll } from "vitest";

// Stands in for the modules `cloudflare:workers` and `cloudflare:test`, so that the tests that run in workerd run in Node:
// a mutant's run is over in a second there, and workerd alone takes several to start. D1 is the real one.

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script: "export default {}",
    d1Databases: { DB: "db", OTHER_DB: "other" },
  }),
);
afterAll(() => miniflare.dispose());

const BUNDLE = "bundles/minilm-l6-v2";

export const env = {
  DB: await miniflare.getD1Database("DB"),
  OTHER_DB: await miniflare.getD1Database("OTHER_DB"),
  MIGRATIONS: await readD1Migrations("schema/migrations"),
  ASSETS: {
    fetch: async (url: string) => new Response(await readFile(join(BUNDLE, new URL(url).pathname))),
  },
};

// Every call of D1 from Node is a request of its own, so statements go together: `exec` takes one a line.
const inLines = (statements: readonly string[]) =>
  statements.map((sql) => sql.replaceAll(/--.*$/gm, "").replaceAll(/\s+/g, " ").trim()).join("\n");

/** Empties the databases. */
export async function reset(): Promise<void> {
  for (const db of [env.DB, env.OTHER_DB]) {
    const { results } = await db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .all<{ name: string }>();
    if (results.length > 0) await db.exec(inLines(results.map(({ name }) => `DROP TABLE "${name}"`)));
  }
}

/** Applies migrations to an empty database. */
export async function applyD1Migrations(db: D1Database, migrations: D1Migration[]): Promise<void> {
  await db.exec(inLines(migrations.flatMap(({ queries }) => queries)));
}
