import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it } from "vitest";
import { createAuthenticator } from "../../src/auth/authenticator.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import { createProfileHistory } from "../../src/storage/history.ts";
import { createProfileStore } from "../../src/storage/profile-store.ts";
import { createProfileRegistry } from "../../src/storage/profiles.ts";
import { masksOf } from "../support/rows.ts";

/** Restores a golden database, including wrangler's record of its migrations. */
async function restore(db: D1Database, dump: string): Promise<void> {
  await db.batch(dump.split("--> statement-breakpoint").map((statement) => db.prepare(statement.trim())));
}

type Row = Record<string, unknown>;

const rowsOf = async (db: D1Database, table: string): Promise<Row[]> =>
  (await db.prepare(`SELECT * FROM ${table}`).all<Row>()).results;

/** Returns the names of the schema's own tables. */
async function tablesOf(db: D1Database): Promise<string[]> {
  const listed = await db
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'd1_%' AND name NOT LIKE 'sqlite_%'",
    )
    .all<{ name: string }>();
  return listed.results.map(({ name }) => name);
}

it("has a golden database for each migration", () => {
  // npm run golden:database adds the newest and leaves the others.
  expect(Object.keys(env.GOLDEN).sort()).toEqual(env.MIGRATIONS.map(({ name }) => name).sort());
});

describe.each(Object.entries(env.GOLDEN))("%s", (_, dump) => {
  const db = env.OTHER_DB;

  it("keeps every row through all later migrations", async () => {
    await restore(db, dump);
    const tables = await tablesOf(db);
    const before = await Promise.all(tables.map((table) => rowsOf(db, table)));
    expect(before.flat().length).toBeGreaterThanOrEqual(3);
    await applyD1Migrations(db, env.MIGRATIONS);
    for (const [place, table] of tables.entries()) {
      // Later migrations may add columns with an empty default.
      expect(await rowsOf(db, table)).toMatchObject(before[place] ?? []);
    }
  });

  it("is read and written by this version", async () => {
    await restore(db, dump);
    await applyD1Migrations(db, env.MIGRATIONS);
    const { task, profiles } = await createProfileStore(drizzle(db)).read(
      "demo",
      ["written-once", "written-twice"],
      null,
    );
    expect(task).toMatchObject({ labels: ["no", "yes"], maxTokens: 32, generation: 3, head: expect.any(Float32Array) });
    expect([...profiles.values()].map(({ id, generation }) => [id, generation])).toEqual([
      ["written-once", 1],
      ["written-twice", 3],
    ]);
    const registry = createProfileRegistry(drizzle(db));
    const name = { task: "demo", id: "written-once" };
    const before = profiles.get("written-once");
    expect(await registry.put(name, { masks: masksOf(4), labelBias: null }, 3, 1)).toMatchObject({ generation: 2 });
    expect(await createProfileHistory(drizzle(db)).read(name)).toMatchObject({
      current: { generation: 2, masks: masksOf(4) },
      earlier: [{ generation: 1, masks: before?.masks }],
    });
  });

  it.skipIf(!dump.includes('INSERT INTO "keys"'))("has keys that are still accepted", async () => {
    await restore(db, dump);
    await applyD1Migrations(db, env.MIGRATIONS);
    const options = { fresh: true, beforeUnknownKey: async () => {} };
    const key = `xpk_0123456789abcdef_${"A".repeat(43)}`;
    const { access } = await createAuthenticator({ ttlSeconds: 30, now: () => Date.now() }).authenticate(
      key,
      createKeyStore(drizzle(db)),
      options,
    );
    expect(access).toMatchObject({ scopes: ["predict"], task: "demo", profilePrefix: "written-" });
  });
});
