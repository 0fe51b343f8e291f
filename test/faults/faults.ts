import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkerEngine } from "../support/engine-choice.ts";
import type { RunningWorker } from "../support/worker.ts";
import type { Broken } from "./broken.ts";

/** The kinds of requests that load the Worker. */
export type Load = "profiles" | "writes" | "tokens" | "keys" | "long texts" | "learnings" | "health";

/** A dependency that breaks while the Worker is under load. */
export interface Fault {
  readonly name: string;
  readonly broken: Broken;
  /** Whether the dependency is broken before the Worker loads anything. */
  readonly cold?: true;
  /** How to damage the real database, and how to repair it. */
  readonly database?: { damage(db: D1Database): Promise<void>; repair(db: D1Database): Promise<void> };
  /** Outcomes allowed during the fault: `ok`, or codes that must each occur. An omitted load is off. */
  readonly answers: { readonly [load in Load]?: readonly string[] };
  /** Whether only a new isolate recovers, so the fault needs a separate Worker. */
  readonly final?: true;
  /** What reads the texts; the kernels, unless the fault is one of ONNX Runtime. */
  readonly engine?: WorkerEngine;
}

const MIGRATIONS = "schema/migrations";

/** Migrations missing in a half applied deploy: history, keys, shards. */
const MISSING = /^000[234]_/;

async function removeMigrations(db: D1Database): Promise<void> {
  const { results } = await db
    .prepare("SELECT type, name FROM sqlite_master WHERE type = 'trigger' AND name NOT LIKE 'sqlite_%'")
    .all<{ name: string }>();
  for (const { name } of results) await db.exec(`DROP TRIGGER ${name}`);
  for (const table of ["profile_history", "tombstones", "shard", "keys"])
    await db.exec(`ALTER TABLE ${table} RENAME TO gone_${table}`);
}

/** Applies the missing migrations like wrangler, and restores the earlier keys, which a deploy keeps. */
async function applyMigrations(db: D1Database): Promise<void> {
  for (const file of (await readdir(MIGRATIONS)).filter((name) => MISSING.test(name)).sort()) {
    const statements = (await readFile(join(MIGRATIONS, file), "utf8")).split("--> statement-breakpoint");
    await db.batch(statements.map((statement) => db.prepare(statement)));
  }
  await db.exec("INSERT INTO keys SELECT * FROM gone_keys");
  for (const table of ["profile_history", "tombstones", "shard", "keys"]) await db.exec(`DROP TABLE gone_${table}`);
}

const DAY_MS = 24 * 60 * 60 * 1000;

const database = (error: string): Broken => ({ database: { error } });
const writes = (error: string): Broken => ({ database: { error, writesOnly: true } });
const asset = (file: string, how: NonNullable<Broken["asset"]>["how"]): Broken => ({ asset: { file, how } });

/** While the database is unavailable, cached rows are still served until their TTL is over. */
const CACHED_OR_UNAVAILABLE = ["ok", "database_unavailable"];

/** All faults, in the order of the table. */
export const FAULTS: readonly Fault[] = [
  {
    name: "D1 is unreachable",
    broken: database("D1_ERROR: Network connection lost."),
    answers: {
      profiles: CACHED_OR_UNAVAILABLE,
      writes: ["database_unavailable"],
      tokens: ["ok"],
      health: ["database_unavailable"],
    },
  },
  {
    name: "D1 is overloaded",
    broken: database("D1_ERROR: D1 DB is overloaded. Requests queued for too long."),
    answers: {
      profiles: CACHED_OR_UNAVAILABLE,
      writes: ["database_unavailable"],
      tokens: ["ok"],
      health: ["database_unavailable"],
    },
  },
  {
    name: "each D1 query takes a second longer",
    broken: { database: { slowMs: 1000 } },
    answers: { profiles: ["ok"], writes: ["ok"], tokens: ["ok"], health: ["ok"] },
  },
  {
    name: "D1 is full",
    broken: writes("D1_ERROR: database or disk is full: SQLITE_FULL"),
    answers: { profiles: ["ok"], writes: ["database_unavailable"], tokens: ["ok"], health: ["ok"] },
  },
  {
    name: "D1 is locked",
    broken: writes("D1_ERROR: database is locked: SQLITE_BUSY"),
    answers: { profiles: ["ok"], writes: ["database_unavailable"], tokens: ["ok"], health: ["ok"] },
  },
  {
    name: "D1 does the write, but its answer is lost",
    broken: { database: { error: "D1_ERROR: Network connection lost.", writesOnly: true, done: true } },
    // A retry learns from the generation that the write was done.
    answers: { profiles: ["ok"], writes: ["ok", "database_unavailable"], tokens: ["ok"], health: ["ok"] },
  },
  {
    name: "a migration is half applied: no history, no keys",
    broken: {},
    database: { damage: removeMigrations, repair: applyMigrations },
    answers: {
      profiles: CACHED_OR_UNAVAILABLE,
      writes: ["database_unavailable"],
      tokens: ["ok"],
      health: ["database_unavailable"],
    },
  },
  {
    name: "the manifest is missing",
    broken: asset("manifest.json", "missing"),
    cold: true,
    answers: { profiles: ["bundle_file_missing"], health: ["bundle_file_missing"] },
  },
  {
    name: "the weights are missing",
    broken: asset("packed.0", "missing"),
    cold: true,
    answers: { profiles: ["bundle_file_missing"], health: ["bundle_file_missing"] },
  },
  {
    name: "the tokenizer is truncated",
    broken: asset("tokenizer.json", "truncated"),
    cold: true,
    answers: { profiles: ["bundle_file_corrupt"], health: ["bundle_file_corrupt"] },
  },
  {
    name: "a bit of the weights is flipped",
    broken: asset("packed.0", "flipped"),
    cold: true,
    answers: { profiles: ["bundle_file_corrupt"], health: ["bundle_file_corrupt"] },
  },
  {
    name: "a bit of ONNX Runtime's weights is flipped",
    broken: asset("encoder.weights.0", "flipped"),
    cold: true,
    engine: "onnxruntime",
    answers: { profiles: ["bundle_file_corrupt"], health: ["bundle_file_corrupt"] },
  },
  {
    name: "a file cannot be read once",
    broken: asset("packed.0", "once"),
    cold: true,
    answers: { profiles: ["ok", "bundle_unusable"], health: ["ok", "bundle_unusable"] },
  },
  {
    name: "no memory to instantiate the kernels, once",
    broken: { memory: "instance once" },
    cold: true,
    answers: { profiles: ["ok"], health: ["ok"] },
  },
  {
    name: "no memory to instantiate the kernels, every time",
    broken: { memory: "instance" },
    cold: true,
    answers: { profiles: ["bundle_unusable"], health: ["bundle_unusable"] },
  },
  {
    name: "no memory to instantiate ONNX Runtime, once",
    broken: { memory: "instance once" },
    cold: true,
    engine: "onnxruntime",
    answers: { profiles: ["ok"], health: ["ok"] },
  },
  {
    name: "no memory to instantiate ONNX Runtime, every time",
    broken: { memory: "instance" },
    cold: true,
    engine: "onnxruntime",
    answers: { profiles: ["bundle_unusable"], health: ["bundle_unusable"] },
    final: true,
  },
  {
    name: "no memory for ONNX Runtime's weights",
    broken: { memory: "grow" },
    cold: true,
    engine: "onnxruntime",
    answers: { profiles: ["bundle_unusable"], health: ["bundle_unusable"] },
  },
  {
    name: "no memory for a long text in ONNX Runtime",
    broken: { memory: "grow" },
    engine: "onnxruntime",
    // A failed run leaks memory, and after many of them ONNX Runtime is unusable.
    answers: {
      profiles: ["ok", "bundle_unusable"],
      "long texts": ["bundle_unusable"],
      health: ["ok", "bundle_unusable"],
    },
    final: true,
  },
  {
    name: "the tail's weights are missing after the start",
    broken: asset("tail.0", "missing"),
    answers: { profiles: ["ok"], learnings: ["bundle_file_missing"], health: ["ok"] },
  },
  {
    name: "a bit of the tail's weights is flipped after the start",
    broken: asset("tail.0", "flipped"),
    answers: { profiles: ["ok"], learnings: ["bundle_file_corrupt"], health: ["ok"] },
  },
  {
    name: "the secret TOKEN_KEYS is missing",
    broken: { tokenKeys: null },
    answers: { profiles: ["ok"], tokens: ["tokens_not_set_up"], health: ["ok"] },
  },
  {
    name: "TOKEN_KEYS has a new key, and not the old one",
    broken: { tokenKeys: `newest:${Buffer.alloc(32, 7).toString("base64")}` },
    answers: { profiles: ["ok"], tokens: ["token_unknown_key"], health: ["ok"] },
  },
  {
    name: "the clock is two days fast",
    broken: { clockMs: 2 * DAY_MS },
    answers: { profiles: ["ok"], writes: ["ok"], tokens: ["token_expired"], keys: ["key_expired"], health: ["ok"] },
  },
  {
    name: "the clock is two days slow",
    broken: { clockMs: -2 * DAY_MS },
    answers: { profiles: ["ok"], writes: ["ok"], tokens: ["token_not_yet_valid"], keys: ["ok"], health: ["ok"] },
  },
];

/** Sets what is broken in a Worker of `worker.ts`. */
export async function setBroken(worker: RunningWorker, broken: Broken): Promise<void> {
  const { status } = await worker.request("PUT", "/broken", { body: broken });
  if (status !== 204) throw new Error(`The Worker of the faults answered ${status}.`);
}
