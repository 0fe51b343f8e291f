import { and, eq, notInArray, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { profiles, tasks } from "../schema/tables.ts";
import type { Database } from "./database.ts";
import type { ProfileParts, Task } from "./engine.ts";
import { XpeftError } from "./errors.ts";
import { bytesFromFloats } from "./floats.ts";

/** A task to write; the database counts the generation. */
export type NewTask = Omit<Task, "generation">;

/** A profile to write. */
export interface NewProfile extends ProfileParts {
  readonly id: string;
}

/** Writes a task and profiles of it in one transaction. */
export type Push = (task: NewTask, profiles: readonly NewProfile[]) => Promise<void>;

/** D1 takes 100 bound parameters a statement, and a profile's row binds six. */
const PROFILES_A_STATEMENT = 16;

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** The upsert of a task; it fails as a whole if the row is no longer at the generation `seen` (null: not there). */
function upsertTask(db: Database, row: Omit<typeof tasks.$inferInsert, "generation">, seen: number | null) {
  // A null breaks the column's NOT NULL, which is what rolls the transaction back.
  const next = seen === null ? sql`NULL` : sql`CASE WHEN ${tasks.generation} = ${seen} THEN ${seen + 1} END`;
  return db
    .insert(tasks)
    .values({ ...row, generation: 1 })
    .onConflictDoUpdate({ target: tasks.name, set: { ...row, generation: next } });
}

function upsertProfiles(db: Database, rows: Omit<typeof profiles.$inferInsert, "generation">[]) {
  return db
    .insert(profiles)
    .values(rows.map((row) => ({ ...row, generation: 1 })))
    .onConflictDoUpdate({
      target: [profiles.task, profiles.id],
      set: {
        masks: sql`excluded.masks`,
        labelBias: sql`excluded.label_bias`,
        updatedAt: sql`excluded.updated_at`,
        generation: sql`${profiles.generation} + 1`,
      },
    });
}

/** Whether an error, or one that it was caused by, is the broken NOT NULL of {@link upsertTask}. */
function isConflict(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.includes("NOT NULL constraint failed: tasks.generation") || isConflict(error.cause);
}

/** The push over a database; what it throws of the database's own is left as it is. */
export function createPush(db: Database): Push {
  return async (task, pushed) => {
    const row = {
      name: task.name,
      bundle: task.bundle,
      labels: JSON.stringify(task.labels),
      maxTokens: task.maxTokens,
      head: bytesFromFloats(task.head),
      masks: task.masks,
      updatedAt: Date.now(),
    };

    // One parameter for all the ids, as their number may be far above what a statement binds.
    const ids = sql`(SELECT value FROM json_each(${JSON.stringify(pushed.map(({ id }) => id))}))`;
    const [[stored], [leftOut]] = await db.batch([
      db.select().from(tasks).where(eq(tasks.name, task.name)),
      db
        .select({ id: profiles.id })
        .from(profiles)
        .where(and(eq(profiles.task, task.name), notInArray(profiles.id, ids)))
        .limit(1),
    ]);
    if (stored && leftOut) {
      const same = stored.bundle === row.bundle && stored.labels === row.labels && sameBytes(stored.head, row.head);
      if (!same) {
        throw new XpeftError(
          "mismatched_write",
          `Task "${task.name}" would get a head that its profile "${leftOut.id}" was not trained with.`,
          "Push the task together with all of its profiles, or under a name of its own.",
        );
      }
    }

    const chunks: BatchItem<"sqlite">[] = [];
    for (let start = 0; start < pushed.length; start += PROFILES_A_STATEMENT) {
      const chunk = pushed.slice(start, start + PROFILES_A_STATEMENT);
      chunks.push(
        upsertProfiles(
          db,
          chunk.map((profile) => ({ ...profile, task: task.name, updatedAt: row.updatedAt })),
        ),
      );
    }
    try {
      await db.batch([upsertTask(db, row, stored?.generation ?? null), ...chunks]);
    } catch (cause) {
      if (!isConflict(cause)) throw cause;
      throw new XpeftError(
        "write_conflict",
        `Task "${task.name}" was pushed by someone else at the same time.`,
        "Look at what is there now, then push again.",
        { cause },
      );
    }
  };
}
