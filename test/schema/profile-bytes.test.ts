import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { maskBytes } from "../../src/profiles/masks.ts";
import { DEFAULT_SHAPE } from "../support/rows.ts";

const MIGRATIONS = "schema/migrations";
const PROFILES = 50_000;

/** Odd, so that the ids are all different. Like those of users who sign up, they are in no order. */
const MIXER = 0x9e3779b1;

async function createDatabase(): Promise<DatabaseSync> {
  const database = new DatabaseSync(":memory:");
  for (const name of (await readdir(MIGRATIONS)).filter((file) => file.endsWith(".sql")).sort())
    database.exec(await readFile(join(MIGRATIONS, name), "utf8"));
  database.exec("INSERT INTO tasks VALUES ('demo', 'bundle', '[]', 32, x'00', x'00', 1, 1, NULL)");
  return database;
}

function bytesOf(database: DatabaseSync): number {
  const row = database.prepare("SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size").get();
  return Number(row?.n);
}

/** Returns the bytes that a profile of the default bundle adds to a database's file, and those of an earlier generation. */
async function measure(): Promise<{ profile: number; generation: number }> {
  const database = await createDatabase();
  const masks = `randomblob(${maskBytes(DEFAULT_SHAPE)})`;
  const [before, now] = [bytesOf(database), Date.now()];
  database.exec(`
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT ${PROFILES})
    INSERT INTO profiles (task, id, masks, generation, updated_at)
    SELECT 'demo', printf('user-%08x', (n * ${MIXER}) & 0xffffffff), ${masks}, 1, ${now} FROM numbers`);
  const written = bytesOf(database);
  database.exec(`UPDATE profiles SET masks = ${masks}, generation = 2, updated_at = ${now + 1}`);
  const replaced = bytesOf(database);
  database.close();
  return { profile: (written - before) / PROFILES, generation: (replaced - written) / PROFILES };
}

it("docs/scale.md says how many bytes a profile of the default bundle takes in a database", async () => {
  const docs = await readFile("docs/scale.md", "utf8");
  const [, profile, generation] = docs.match(/\| bytes per profile \| (\d+) \| \1 \+ 5 · (\d+) = /) ?? [];
  const measured = await measure();
  expect(Math.abs(measured.profile / Number(profile) - 1)).toBeLessThan(0.03);
  expect(Math.abs(measured.generation / Number(generation) - 1)).toBeLessThan(0.03);
});
