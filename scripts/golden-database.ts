// `npm run golden:database`: a database as the newest migration leaves it, with a row of each kind, for test/schema/migrations.worker.test.ts.

import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { parseArgs } from "node:util";
import { bytesFromFloats } from "../src/lib/floats.ts";
import { packMasks } from "../src/profiles/masks.ts";

const MIGRATIONS = "schema/migrations";
const OUT = "test/fixtures/databases";
const BREAK = "--> statement-breakpoint";

const SHAPE = { layers: 6, size: 100, chosen: 50 };
const HIDDEN = 384;
const LABELS = ["no", "yes"];
const MOMENT = Date.UTC(2026, 0, 1);

/** What migrations are noted in, by wrangler. */
const NOTED = `CREATE TABLE d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Fifty neighbours in each row, from another place on for each seed. */
function masksFrom(seed: number): Uint8Array {
  const mask = (row: number) => Array.from({ length: SHAPE.chosen }, (_, place) => (place + seed + row) % SHAPE.size);
  return packMasks(Array.from({ length: 2 * SHAPE.layers }, (_, row) => mask(row)).flat(), SHAPE);
}

/** Inserts a row, of which a table of an earlier version may have fewer columns; none where there is no such table. */
function insert(db: DatabaseSync, table: string, row: Record<string, SQLInputValue>): void {
  const known = db
    .prepare(`PRAGMA table_info(${table})`)
    .all()
    .map(({ name }) => String(name));
  const names = Object.keys(row).filter((name) => known.includes(name));
  if (names.length === 0) return;
  const marks = names.map(() => "?").join(", ");
  db.prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${marks})`).run(
    ...names.map((name) => row[name] ?? null),
  );
}

/** Rows of each kind, and what the database itself makes of writes. */
function fill(db: DatabaseSync): void {
  const head = bytesFromFloats(
    Float32Array.from({ length: LABELS.length * (HIDDEN + 1) }, (_, place) => (place % 7) - 3),
  );
  insert(db, "tasks", {
    name: "demo",
    bundle: "f1dc6566a273276db1f3901e0b681db4",
    labels: JSON.stringify(LABELS),
    max_tokens: 32,
    head,
    masks: masksFrom(0),
    generation: 3,
    updated_at: MOMENT,
  });
  for (const [place, id] of ["written-once", "written-twice", "deleted"].entries()) {
    const parts = { masks: masksFrom(place + 1), label_bias: Uint8Array.of(place, 255) };
    insert(db, "profiles", { task: "demo", id, ...parts, generation: place + 1, updated_at: MOMENT });
  }
  db.prepare("UPDATE profiles SET masks = ?, generation = generation + 1 WHERE id = 'written-twice'").run(masksFrom(9));
  db.exec("DELETE FROM profiles WHERE id = 'deleted'");
  insert(db, "keys", {
    id: "0123456789abcdef",
    name: "of the golden database",
    hash: createHash("sha256")
      .update(`xpk_0123456789abcdef_${"A".repeat(43)}`)
      .digest(),
    scopes: JSON.stringify(["predict"]),
    task: "demo",
    profile_prefix: "written-",
    created_at: MOMENT,
    expires_at: null,
    last_used_at: null,
  });
}

const literal = (value: unknown): string => {
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString("hex")}'`;
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  return value === null ? "NULL" : String(value);
};

/** All of a database as statements: its tables, their rows, and its triggers last, so that these do nothing to the rows. */
function dump(db: DatabaseSync): string[] {
  const objects = db
    .prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    .all();
  const ofType = (type: string) => objects.filter((one) => one.type === type);
  // What others refer to comes first.
  const tables = ofType("table").sort((a, b) => Number(b.name === "tasks") - Number(a.name === "tasks"));
  const rows = tables.flatMap(({ name }) =>
    db
      .prepare(`SELECT * FROM "${name}"`)
      .all()
      .map((row) => `INSERT INTO "${name}" VALUES (${Object.values(row).map(literal).join(", ")})`),
  );
  const statements = [...tables, ...ofType("index"), ...ofType("trigger")].map(({ type, sql }) => ({
    type,
    sql: String(sql),
  }));
  return [
    ...statements.filter(({ type }) => type !== "trigger").map(({ sql }) => sql),
    ...rows,
    ...statements.filter(({ type }) => type === "trigger").map(({ sql }) => sql),
  ];
}

const { positionals } = parseArgs({ allowPositionals: true });
const all = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort();
const [last = all.at(-1) ?? ""] = positionals;
if (!all.includes(last)) throw new Error(`There is no migration ${last}: ${all.join(", ")}.`);
const db = new DatabaseSync(":memory:");
db.exec(NOTED);
for (const name of all.slice(0, all.indexOf(last) + 1)) {
  db.exec((await readFile(join(MIGRATIONS, name), "utf8")).replaceAll(BREAK, ""));
  db.prepare("INSERT INTO d1_migrations (name, applied_at) VALUES (?, '2026-01-01 00:00:00')").run(name);
}
fill(db);
// What is there is never made anew: it is what some deploy has.
await writeFile(join(OUT, last), dump(db).join(`\n${BREAK}\n`), { flag: "wx" });
console.log(`${join(OUT, last)} is written: commit it.`);
