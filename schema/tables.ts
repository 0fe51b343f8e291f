/**
 * Tables of the database: tasks, profiles, their history and tombstones, keys, and which of several databases this is.
 * docs/formats.md defines the fields.
 *
 * @module
 */
import { sql } from "drizzle-orm";
import { check, customType, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** A blob column of plain bytes. Drizzle's own returns Node's Buffer. D1 returns a blob as a list of numbers. */
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array | ArrayBuffer | number[] }>({
  dataType: () => "blob",
  toDriver: (value) => value,
  fromDriver: (value) => (value instanceof Uint8Array ? value : new Uint8Array(value)),
});

const versionColumns = {
  /** Starts at 1 and rises by one at each write of the row, including its deletion. */
  generation: integer("generation").notNull(),
  /** Time of the last write, in milliseconds since 1970. */
  updatedAt: integer("updated_at").notNull(),
};

/** One row a task: its labels, its head, its adapter, and the masks of its default profile. */
export const tasks = sqliteTable("tasks", {
  name: text("name").primaryKey(),
  /** Id of the bundle that head, masks and adapter were trained on. */
  bundle: text("bundle").notNull(),
  /** JSON array of strings, in the order of the logits. */
  labels: text("labels").notNull(),
  maxTokens: integer("max_tokens").notNull(),
  /** Little-endian float32: weight [labels, hidden], then bias [labels]. */
  head: bytes("head").notNull(),
  /** Mask blob of the default profile; of 0 bytes if it has no masks. */
  masks: bytes("masks").notNull(),
  ...versionColumns,
  /** Task adapter: float32 scales [layers, 2], then int8 steps; NULL if the task has none. */
  adapter: bytes("adapter"),
});

const profileColumns = {
  task: text("task").notNull(),
  id: text("id").notNull(),
  masks: bytes("masks").notNull(),
  /** One int8 for each label of the task, in sixteenths. */
  labelBias: bytes("label_bias"),
  ...versionColumns,
};

/** One row a profile: its masks, and its label bias if it has one. */
export const profiles = sqliteTable(
  "profiles",
  {
    ...profileColumns,
    task: text("task")
      .notNull()
      .references(() => tasks.name),
  },
  (table) => [primaryKey({ columns: [table.task, table.id] })],
);

/**
 * A profile's last five generations, written by triggers (migration 0003). A new head or adapter of the task clears them
 * (migration 0005), because those masks were trained with the old one.
 */
export const profileHistory = sqliteTable("profile_history", profileColumns, (table) => [
  primaryKey({ columns: [table.task, table.id, table.generation] }),
]);

/**
 * The generation at which a profile was deleted, or a task if `id` is empty; written by triggers (migration 0003). A row
 * that is created again continues from there, so that a generation is never used twice.
 */
export const tombstones = sqliteTable(
  "tombstones",
  { task: text("task").notNull(), id: text("id").notNull(), generation: integer("generation").notNull() },
  (table) => [primaryKey({ columns: [table.task, table.id] })],
);

/** One row an API key, with a hash in place of the secret. */
export const keys = sqliteTable("keys", {
  /** The key's public part, used to look it up. */
  id: text("id").primaryKey(),
  /** The name that its owner chose. */
  name: text("name").notNull(),
  /** SHA-256 over the whole key. */
  hash: bytes("hash").notNull(),
  /** JSON array of scopes. */
  scopes: text("scopes").notNull(),
  /** The task that the key is restricted to; NULL for all tasks. */
  task: text("task"),
  /** Prefix of the profile ids that the key is restricted to; empty for all profiles. */
  profilePrefix: text("profile_prefix").notNull(),
  createdAt: integer("created_at").notNull(),
  /** Milliseconds since 1970; NULL if it never expires. */
  expiresAt: integer("expires_at"),
  /** Milliseconds since 1970, to about two minutes; NULL if it was never used. */
  lastUsedAt: integer("last_used_at"),
});

/**
 * Which of several databases this is: one row, or none if there is a single database. A trigger (migration 0004) allows
 * writes only while there are no profiles, because this row decides which database a profile belongs in.
 */
export const shard = sqliteTable(
  "shard",
  {
    /** Always 1, which SQLite gives a first row by default. It allows only one row. */
    only: integer("only").primaryKey(),
    /** Counts from 0. */
    number: integer("number").notNull(),
    count: integer("count").notNull(),
  },
  () => [check("shard_one_row", sql`only = 1`), check("shard_in_range", sql`number >= 0 AND number < count`)],
);
