/**
 * The database: one row a task, one row a profile, a few rows of a profile's past, one row a key, and where
 * profiles are spread over several databases a row that says which of them this is. What the fields mean is told in
 * docs/formats.md.
 *
 * @module
 */
import { sql } from "drizzle-orm";
import { check, customType, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Drizzle's own blob column hands out Node's Buffer; this one is the plain bytes. D1 gives a blob back as numbers. */
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array | ArrayBuffer | number[] }>({
  dataType: () => "blob",
  toDriver: (value) => value,
  fromDriver: (value) => (value instanceof Uint8Array ? value : new Uint8Array(value)),
});

const written = {
  /** 1 at first, up by one at each write of the row, its deletion included. */
  generation: integer("generation").notNull(),
  /** When the row was last written, in milliseconds since 1970. */
  updatedAt: integer("updated_at").notNull(),
};

/** A task: its labels, its head, and the masks of its default profile. */
export const tasks = sqliteTable("tasks", {
  name: text("name").primaryKey(),
  /** Id of the bundle that head and masks were trained on. */
  bundle: text("bundle").notNull(),
  /** JSON array of strings, in the order of the logits. */
  labels: text("labels").notNull(),
  maxTokens: integer("max_tokens").notNull(),
  /** Little-endian float32: weight [labels, hidden], then bias [labels]. */
  head: bytes("head").notNull(),
  /** Mask blob of the default profile. */
  masks: bytes("masks").notNull(),
  ...written,
});

const ofProfile = {
  task: text("task").notNull(),
  id: text("id").notNull(),
  masks: bytes("masks").notNull(),
  /** An int8 for each label of the task, in sixteenths. */
  labelBias: bytes("label_bias"),
  ...written,
};

/** A profile: its masks and, where its task is learnt with one, its label bias. */
export const profiles = sqliteTable(
  "profiles",
  {
    ...ofProfile,
    task: text("task")
      .notNull()
      .references(() => tasks.name),
  },
  (table) => [primaryKey({ columns: [table.task, table.id] })],
);

/**
 * What a profile was before its last writes. Triggers keep it (migration 0003): the last five generations, and none from
 * before its task's head changed, as those masks were learnt with the old one.
 */
export const profileHistory = sqliteTable("profile_history", ofProfile, (table) => [
  primaryKey({ columns: [table.task, table.id, table.generation] }),
]);

/**
 * The generation at which a profile was deleted, or a task where `id` is empty; kept by triggers (migration 0003). A row
 * that is made again goes on from there, so that no generation ever means two things.
 */
export const tombstones = sqliteTable(
  "tombstones",
  { task: text("task").notNull(), id: text("id").notNull(), generation: integer("generation").notNull() },
  (table) => [primaryKey({ columns: [table.task, table.id] })],
);

/** An API key; of its secret there is only a hash. */
export const keys = sqliteTable("keys", {
  /** The key's public part, by which it is looked up. */
  id: text("id").primaryKey(),
  /** What its owner calls it. */
  name: text("name").notNull(),
  /** SHA-256 over the whole key. */
  hash: bytes("hash").notNull(),
  /** JSON array of scopes. */
  scopes: text("scopes").notNull(),
  /** The one task that it is confined to; NULL for all. */
  task: text("task"),
  /** What the ids of the profiles that it reaches start with; empty for all. */
  profilePrefix: text("profile_prefix").notNull(),
  createdAt: integer("created_at").notNull(),
  /** Milliseconds since 1970; NULL for never. */
  expiresAt: integer("expires_at"),
  /** To about two minutes; NULL for not yet. */
  lastUsedAt: integer("last_used_at"),
});

/**
 * Which of how many databases this is, where profiles are spread over several: one row, or none where there is one
 * database only. It can be written only while there are no profiles (a trigger of migration 0004): which database a
 * profile belongs in follows from it.
 */
export const shard = sqliteTable(
  "shard",
  {
    /** Always 1, which SQLite gives a first row by itself, so that there is one row. */
    only: integer("only").primaryKey(),
    /** From 0. */
    number: integer("number").notNull(),
    count: integer("count").notNull(),
  },
  () => [check("shard_one_row", sql`only = 1`), check("shard_in_range", sql`number >= 0 AND number < count`)],
);
