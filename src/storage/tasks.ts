import { and, asc, eq, getTableColumns, gt, type SQL, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import { unknownTaskError } from "../profiles/not-found.ts";
import type { NewTask, StoredTask, TaskSummary } from "../profiles/task.ts";
import type { Database } from "./database.ts";
import { withDatabaseErrors } from "./database.ts";
import type { ListPage, ListQuery } from "./page.ts";
import { generationMismatchError, meetsPrecondition, type Precondition, preconditionHolds } from "./precondition.ts";
import { storedTaskFromRow, taskSummaryFromRow } from "./rows.ts";
import { firstGeneration, hasNoProfiles, profilesMayStay, taskRow } from "./sql.ts";

/** What becomes of a task's profiles when its head changes or it goes: they stand in the way, or go too. */
export type ExistingProfiles = "keep" | "delete";

/** How a write ended. */
export interface WriteOutcome {
  readonly generation: number;
  readonly created: boolean;
}

/** The tasks of a database. Every method throws `database_unavailable` if the database fails. */
export interface TaskRegistry {
  /** Tasks without their heads and masks, by name. @param only the one task that the caller may see, or null for all */
  list(query: ListQuery, only: string | null): Promise<ListPage<TaskSummary>>;

  /** @throws XpeftError `unknown_task`, or `invalid_row` if what is stored cannot be read */
  get(name: string): Promise<StoredTask>;

  /**
   * Creates or replaces a task in one transaction.
   *
   * @throws XpeftError `generation_mismatch`, or `task_has_profiles` if profiles that stay would be left with labels, a
   * head or a bundle that they were not trained with
   */
  put(task: NewTask, expected: Precondition, fate: ExistingProfiles): Promise<WriteOutcome>;

  /**
   * Deletes a task in one transaction.
   *
   * @returns the generation that its deletion took
   * @throws XpeftError `unknown_task`, `generation_mismatch`, or `task_has_profiles` if it has some and they are to stay
   */
  delete(name: string, expected: Precondition, fate: ExistingProfiles): Promise<number>;
}

/** The error of a write that would leave profiles without what they were trained with. */
function taskHasProfilesError(name: string): XpeftError {
  const message = `Task "${name}" has profiles, which would lose the head, labels or bundle that they were trained with.`;
  return new XpeftError("task_has_profiles", message);
}

/** Why a write's condition did not hold. @param generation the task's, undefined where there is none */
export function rejectionError(name: string, expected: Precondition, generation: number | undefined): XpeftError {
  if (meetsPrecondition(expected, generation ?? 0)) return taskHasProfilesError(name);
  return generationMismatchError(`Task "${name}"`, expected, generation ?? 0);
}

/** The registry over a database whose migrations are applied. */
export function createTaskRegistry(db: Database): TaskRegistry {
  const generationOf = (name: string): SQL =>
    sql`(SELECT ${tasks.generation} FROM ${tasks} WHERE ${tasks.name} = ${name})`;
  const current = (name: string) => db.select({ generation: tasks.generation }).from(tasks).where(eq(tasks.name, name));

  const deleteProfiles = (name: string, expected: Precondition, fate: ExistingProfiles) =>
    db
      .delete(profiles)
      .where(
        and(eq(profiles.task, name), fate === "delete" ? preconditionHolds(expected, generationOf(name)) : sql`FALSE`),
      );

  return {
    async list({ limit, after }, only) {
      const { head: _head, masks: _masks, ...summary } = getTableColumns(tasks);
      const rows = await withDatabaseErrors(() =>
        db
          .select(summary)
          .from(tasks)
          .where(and(gt(tasks.name, after), only === null ? undefined : eq(tasks.name, only)))
          .orderBy(asc(tasks.name))
          .limit(limit + 1),
      );
      const shown = rows.slice(0, limit).map(taskSummaryFromRow);
      return { items: shown, next: rows.length > limit ? (shown.at(-1)?.name ?? null) : null };
    },

    async get(name) {
      const [row] = await withDatabaseErrors(() => db.select().from(tasks).where(eq(tasks.name, name)));
      if (!row) throw unknownTaskError(name);
      return storedTaskFromRow(row);
    },

    async put(task, expected, fate) {
      const row = taskRow(task);
      const [before, , written] = await withDatabaseErrors(() =>
        db.batch([
          current(task.name),
          deleteProfiles(task.name, expected, fate),
          db
            .insert(tasks)
            .select(
              // In the order of the table's columns.
              sql`SELECT ${task.name}, ${row.bundle}, ${row.labels}, ${row.maxTokens}, ${row.head}, ${row.masks},
                ${firstGeneration(task.name, "")}, ${row.updatedAt}
                WHERE ${preconditionHolds(expected, generationOf(task.name))} AND ${profilesMayStay(task.name, row)}`,
            )
            .onConflictDoUpdate({ target: tasks.name, set: { ...row, generation: sql`${tasks.generation} + 1` } })
            .returning({ generation: tasks.generation }),
        ]),
      );
      const [result] = written;
      if (!result) throw rejectionError(task.name, expected, before[0]?.generation);
      return { generation: result.generation, created: before.length === 0 };
    },

    async delete(name, expected, fate) {
      const [before, , deleted] = await withDatabaseErrors(() =>
        db.batch([
          current(name),
          deleteProfiles(name, expected, fate),
          db
            .delete(tasks)
            .where(and(eq(tasks.name, name), preconditionHolds(expected, generationOf(name)), hasNoProfiles(name)))
            .returning({ generation: tasks.generation }),
        ]),
      );
      const [row] = deleted;
      if (row) return row.generation + 1;
      if (before.length === 0 && (expected === undefined || expected === 0)) throw unknownTaskError(name);
      throw rejectionError(name, expected, before[0]?.generation);
    },
  };
}
