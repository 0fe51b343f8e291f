import { and, eq, notInArray, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { profiles, tasks } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import type { NewProfile } from "../profiles/profile.ts";
import type { NewTask } from "../profiles/task.ts";
import type { Database } from "./database.ts";
import { withDatabaseErrors } from "./database.ts";
import { firstGeneration, replaceProfile, taskRow } from "./sql.ts";

/** Writes a task and profiles of it in one transaction. */
export type Push = (task: NewTask, profiles: readonly NewProfile[]) => Promise<void>;

/** D1 takes 100 bound parameters a statement, and a profile's row binds seven. */
const PROFILES_A_STATEMENT = 14;

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/**
 * The upsert of a task; the whole transaction fails if the row is no longer at the generation `seen` (null: not there), or
 * if a profile that is not pushed would be left with a head it was not trained with.
 */
function upsertTask(db: Database, row: Omit<typeof tasks.$inferInsert, "generation">, seen: number | null, ids: SQL) {
  const same = and(eq(tasks.bundle, row.bundle), eq(tasks.labels, row.labels), eq(tasks.head, row.head));
  const leftOut = sql`SELECT 1 FROM ${profiles} WHERE ${and(eq(profiles.task, row.name), notInArray(profiles.id, ids))}`;
  // A null breaks the column's NOT NULL, which is what rolls the transaction back.
  const next =
    seen === null
      ? sql`NULL`
      : sql`CASE WHEN ${tasks.generation} = ${seen} AND (${same} OR NOT EXISTS (${leftOut})) THEN ${seen + 1} END`;
  return db
    .insert(tasks)
    .values({ ...row, generation: firstGeneration(row.name, "") })
    .onConflictDoUpdate({ target: tasks.name, set: { ...row, generation: next } });
}

function upsertProfiles(db: Database, rows: Omit<typeof profiles.$inferInsert, "generation">[]) {
  return db
    .insert(profiles)
    .values(rows.map((row) => ({ ...row, generation: firstGeneration(row.task, row.id) })))
    .onConflictDoUpdate(replaceProfile);
}

/** Whether an error, or one that it was caused by, is the broken NOT NULL of {@link upsertTask}. */
function isConflict(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.includes("NOT NULL constraint failed: tasks.generation") || isConflict(error.cause);
}

/**
 * The push over a database whose migrations are applied: all is written, or nothing if anything fails.
 *
 * @returns a function that throws XpeftError `mismatched_write` if profiles that are left out would be left with a head
 * they were not trained with, `write_conflict` if another push of the task came between, or `database_unavailable`
 */
export function createPush(db: Database): Push {
  return (task, pushed) => withDatabaseErrors(() => push(db, task, pushed));
}

async function push(db: Database, task: NewTask, pushed: readonly NewProfile[]): Promise<void> {
  const row = { name: task.name, ...taskRow(task) };

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
        { reason: "profiles" },
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
    const ofTask = upsertTask(db, row, stored?.generation ?? null, ids);
    const [first, ...rest] = chunks;
    // A new head drops the history of its task's profiles, so those that are written with it must come before.
    await db.batch(stored && first ? [first, ...rest, ofTask] : [ofTask, ...chunks]);
  } catch (cause) {
    if (!isConflict(cause)) throw cause;
    throw new XpeftError(
      "write_conflict",
      `Task "${task.name}" or its profiles were written by someone else at the same time.`,
      { cause },
    );
  }
}
