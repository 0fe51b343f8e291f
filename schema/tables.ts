/**
 * The database: one row a task, one row a profile. What the fields mean is told in docs/formats.md.
 *
 * @module
 */
import { customType, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Drizzle's own blob column hands out Node's Buffer; this one is the plain bytes. D1 gives a blob back as numbers. */
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array | ArrayBuffer | number[] }>({
  dataType: () => "blob",
  toDriver: (value) => value,
  fromDriver: (value) => (value instanceof Uint8Array ? value : new Uint8Array(value)),
});

const written = {
  /** 1 at first, up by one at each write of the row. */
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

/** A profile: its masks and, where its task is learnt with one, its label bias. */
export const profiles = sqliteTable(
  "profiles",
  {
    task: text("task")
      .notNull()
      .references(() => tasks.name),
    id: text("id").notNull(),
    masks: bytes("masks").notNull(),
    /** An int8 for each label of the task, in sixteenths. */
    labelBias: bytes("label_bias"),
    ...written,
  },
  (table) => [primaryKey({ columns: [table.task, table.id] })],
);
