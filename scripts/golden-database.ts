// `npm run golden:database [-- MIGRATION]`: saves a database with a row of each kind as the newest migration leaves it,
// for test/schema/migrations.worker.test.ts.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { parseArgs } from "node:util";
import { bytesFromFloats } from "../src/lib/floats.ts";
import { packMasks } from "../src/profiles/masks.ts";
import { adapterBytes } from "../src/profiles/task-adapter.ts";

const MIGRATIONS = "schema/migrations";
const FOLDER = "test/fixtures/databases";
const STATEMENT_BREAK = "--> statement-breakpoint";

const SHAPE = { firstLayer: 0, layers: 6, size: 100, chosen: 50 };
const HIDDEN = 384;
const ADAPTER_BYTES = adapterBytes({ layers: SHAPE.layers, hidden: HIDDEN, bottleneck: 24 });
const LABELS = ["no", "yes"];
const CREATED_AT = Date.UTC(2026, 0, 1);

/** The table in which wrangler records migrations. */
const MIGRATIONS_TABLE = `CREATE TABLE d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Returns masks with fifty adjacent adapters in each row. The seed moves the first one. */
function masksFrom(seed: number): Uint8Array {
  const mask = (row: number) => Array.from({ length: SHAPE.chosen }, (_, index) => (index + seed + row) % SHAPE.size);
  return packMasks(Array.from({ length: 2 * SHAPE.layers }, (_, row) => mask(row)).flat(), SHAPE);
}

/** Inserts a row. It skips columns that an earlier schema lacks; without the table nothing happens. */
function insert(db: DatabaseSync, table: string, row: Record<string, SQLInputValue>): void {
  const existing = db
    .prepare(`PRAGMA table_info(${table})`)
    .all()
    .map(({ name }) => String(name));
  const columns = Object.keys(row).filter((name) => existing.includes(name));
  if (columns.length === 0) return;
  const placeholders = columns.map(() => "?").join(", ");
  db.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${placeholders})`).run(
    ...columns.map((name) => row[name] ?? null),
  );
}

/** Inserts a row of each kind, and lets triggers write history and tombstones. */
function fill(db: DatabaseSync): void {
  const head = bytesFromFloats(
    Float32Array.from({ length: LABELS.length * (HIDDEN + 1) }, (_, index) => (index % 7) - 3),
  );
  insert(db, "tasks", {
    name: "demo",
    bundle: "f1dc6566a273276db1f3901e0b681db4",
    labels: JSON.stringify(LABELS),
    max_tokens: 32,
    head,
    masks: masksFrom(0),
    generation: 3,
    updated_at: CREATED_AT,
    // Zeros: D1 rejects a statement with the bytes of another one.
    adapter: new Uint8Array(ADAPTER_BYTES),
  });
  for (const [index, id] of ["written-once", "written-twice", "deleted"].entries()) {
    const parts = { masks: masksFrom(index + 1), label_bias: Uint8Array.of(index, 255) };
    insert(db, "profiles", { task: "demo", id, ...parts, generation: index + 1, updated_at: CREATED_AT });
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
    created_at: CREATED_AT,
    expires_at: null,
    last_used_at: null,
  });
}

const literal = (value: unknown): string => {
  if (value instanceof Uint8Array && value.every((byte) => byte === 0)) return `zeroblob(${value.length})`;
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString("hex")}'`;
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  return value === null ? "NULL" : String(value);
};

/** Returns a database as statements: tables, then rows, then triggers, so that no trigger runs on the inserts. */
function dump(db: DatabaseSync): string[] {
  const objects = db
    .prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    .all();
  const ofType = (type: string) => objects.filter((object) => object.type === type);
  // Other tables reference tasks, so it comes first.
  const tables = ofType("table").sort((a, b) => Number(b.name === "tasks") - Number(a.name === "tasks"));
  const rows = tables.flatMap(({ name }) =>
    db
      .prepare(`SELECT * FROM "${name}"`)
      .all()
      .map((row) => `INSERT INTO "${name}" VALUES (${Object.values(row).map(literal).join(", ")})`),
  );
  const sqlOf = (all: typeof objects) => all.map(({ sql }) => String(sql));
  return [...sqlOf([...tables, ...ofType("index")]), ...rows, ...sqlOf(ofType("trigger"))];
}

const { positionals } = parseArgs({ allowPositionals: true });
const all = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort();
const [last = all.at(-1) ?? ""] = positionals;
if (!all.includes(last)) throw new Error(`There is no migration "${last}". Use one of: ${all.join(", ")}.`);
const db = new DatabaseSync(":memory:");
db.exec(MIGRATIONS_TABLE);
for (const name of all.slice(0, all.indexOf(last) + 1)) {
  db.exec((await readFile(join(MIGRATIONS, name), "utf8")).replaceAll(STATEMENT_BREAK, ""));
  db.prepare("INSERT INTO d1_migrations (name, applied_at) VALUES (?, '2026-01-01 00:00:00')").run(name);
}
fill(db);
// A committed database never changes: some deploy has it.
await writeFile(join(FOLDER, last), dump(db).join(`\n${STATEMENT_BREAK}\n`), { flag: "wx" });
console.log(`Wrote ${join(FOLDER, last)}. Commit it.`);
