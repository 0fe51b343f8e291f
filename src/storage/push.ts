import { and, eq, notInArray, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { profiles, tasks } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import type { NewProfile } from "../profiles/profile.ts";
import type { NewTask } from "../profiles/task.ts";
import { type Database, withDatabaseErrors } from "./database.ts";
import { firstGeneration, masksStillFit, replaceProfile, type TaskRow, taskRow } from "./sql.ts";

/** Writes a task and profiles of it in one transaction. */
export type Push = (task: NewTask, profiles: readonly NewProfile[]) => Promise<void>;

/** D1's limit is 100 bound parameters for a statement, and a profile's row binds seven. */
const PROFILES_A_STATEMENT = 14;

/**
 * Returns the upsert of a task. The whole transaction fails if the row is no longer at the generation `seen` (null: it
 * does not exist), or if a profile that is not pushed would keep masks for another head.
 */
function upsertTask(db: Database, row: { name: string } & TaskRow, seen: number | null, ids: SQL) {
  const others = sql`SELECT 1 FROM ${profiles} WHERE ${and(eq(profiles.task, row.name), notInArray(profiles.id, ids))}`;
  // A null violates the column's NOT NULL, which rolls the transaction back.
  const next =
    seen === null
      ? sql`NULL`
      : sql`CASE WHEN ${tasks.generation} = ${seen} AND ((${masksStillFit(row)}) OR NOT EXISTS (${others})) THEN ${seen + 1} END`;
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

/** Returns whether an error or its cause is the violated NOT NULL of {@link upsertTask}. */
function isConflict(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.includes("NOT NULL constraint failed: tasks.generation") || isConflict(error.cause);
}

/**
 * Creates the push to a database whose migrations are applied. It writes everything, or nothing if it fails.
 *
 * @returns a function that throws XpeftError `mismatched_write` if a profile that is not pushed would keep masks for
 * another head, `write_conflict` if somebody else wrote the task meanwhile, or `database_unavailable`
 */
export function createPush(db: Database): Push {
  return (task, pushed) => withDatabaseErrors(() => push(db, task, pushed));
}

async function push(db: Database, task: NewTask, pushed: readonly NewProfile[]): Promise<void> {
  const row = { name: task.name, ...taskRow(task) };

  // All ids are one parameter: there may be far more of them than a statement can bind.
  const ids = sql`(SELECT value FROM json_each(${JSON.stringify(pushed.map(({ id }) => id))}))`;
  const [[stored], [notPushed]] = await db.batch([
    db
      .select({ generation: tasks.generation, same: sql<number>`${masksStillFit(row)}` })
      .from(tasks)
      .where(eq(tasks.name, task.name)),
    db
      .select({ id: profiles.id })
      .from(profiles)
      .where(and(eq(profiles.task, task.name), notInArray(profiles.id, ids)))
      .limit(1),
  ]);
  if (stored && notPushed && !stored.same) {
    throw new XpeftError(
      "mismatched_write",
      `Task "${task.name}" would get a head or an adapter that its profile "${notPushed.id}" was not trained with.`,
      { reason: "profiles" },
    );
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
    const taskUpsert = upsertTask(db, row, stored?.generation ?? null, ids);
    const [first, ...rest] = chunks;
    // A new head deletes the history of the task's profiles, so the pushed profiles must come before it.
    await db.batch(stored && first ? [first, ...rest, taskUpsert] : [taskUpsert, ...chunks]);
  } catch (cause) {
    if (!isConflict(cause)) throw cause;
    throw new XpeftError(
      "write_conflict",
      `Task "${task.name}" or its profiles were written by someone else at the same time.`,
      { cause },
    );
  }
}
