import { and, asc, eq, getTableColumns, gt, type SQL, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import { unknownTaskError } from "../profiles/not-found.ts";
import type { NewTask, StoredTask, TaskSummary } from "../profiles/task.ts";
import { type Database, withDatabaseErrors } from "./database.ts";
import type { ListPage, ListQuery } from "./page.ts";
import { generationMismatchError, meetsPrecondition, type Precondition, preconditionHolds } from "./precondition.ts";
import { storedTaskFromRow, taskSummaryFromRow } from "./rows.ts";
import { firstGeneration, hasNoProfiles, profilesMayStay, selectTaskRow, taskRow } from "./sql.ts";

/**
 * What happens to a task's profiles when its head or adapter changes, or it is deleted: they block the write, or are
 * deleted too.
 */
export type ExistingProfiles = "keep" | "delete";

/** The result of a write. */
export interface WriteOutcome {
  readonly generation: number;
  readonly created: boolean;
}

/** The tasks of a database. Every method throws `database_unavailable` if the database fails. */
export interface TaskRegistry {
  /** Returns tasks by name, without heads, masks and adapters. @param only the only permitted task; null for all */
  list(query: ListQuery, only: string | null): Promise<ListPage<TaskSummary>>;

  /** Returns a task. @throws XpeftError `unknown_task`, or `invalid_row` if the row cannot be read */
  get(name: string): Promise<StoredTask>;

  /**
   * Creates or replaces a task in one transaction.
   *
   * @throws XpeftError `generation_mismatch`, or `task_has_profiles` if profiles would keep masks for another head,
   * another adapter, other labels or another bundle
   */
  put(task: NewTask, expected: Precondition, existing: ExistingProfiles): Promise<WriteOutcome>;

  /**
   * Deletes a task in one transaction.
   *
   * @returns the generation of the deletion
   * @throws XpeftError `unknown_task`, `generation_mismatch`, or `task_has_profiles` if it has some and they are kept
   */
  delete(name: string, expected: Precondition, existing: ExistingProfiles): Promise<number>;
}

/** Returns the error for a write that profiles block. */
export function taskHasProfilesError(name: string): XpeftError {
  const message = `Task "${name}" has profiles, which depend on its head, adapter, labels and bundle.`;
  return new XpeftError("task_has_profiles", message);
}

/** Returns why a write was rejected. @param generation the task's; undefined if it does not exist */
export function rejectionError(name: string, expected: Precondition, generation: number | undefined): XpeftError {
  if (meetsPrecondition(expected, generation ?? 0)) return taskHasProfilesError(name);
  return generationMismatchError(`Task "${name}"`, expected, generation ?? 0);
}

/** Creates the registry of a database whose migrations are applied. */
export function createTaskRegistry(db: Database): TaskRegistry {
  const generationOf = (name: string): SQL =>
    sql`(SELECT ${tasks.generation} FROM ${tasks} WHERE ${tasks.name} = ${name})`;
  const current = (name: string) => db.select({ generation: tasks.generation }).from(tasks).where(eq(tasks.name, name));

  const deleteProfiles = (name: string, expected: Precondition, existing: ExistingProfiles) =>
    db
      .delete(profiles)
      .where(
        and(
          eq(profiles.task, name),
          existing === "delete" ? preconditionHolds(expected, generationOf(name)) : sql`FALSE`,
        ),
      );

  return {
    async list({ limit, after }, only) {
      const { head: _head, masks: _masks, adapter: _adapter, ...summary } = getTableColumns(tasks);
      const rows = await withDatabaseErrors(() =>
        db
          .select(summary)
          .from(tasks)
          .where(and(gt(tasks.name, after), only === null ? undefined : eq(tasks.name, only)))
          .orderBy(asc(tasks.name))
          .limit(limit + 1),
      );
      const items = rows.slice(0, limit).map(taskSummaryFromRow);
      return { items, next: rows.length > limit ? (items.at(-1)?.name ?? null) : null };
    },

    async get(name) {
      const [row] = await withDatabaseErrors(() => db.select().from(tasks).where(eq(tasks.name, name)));
      if (!row) throw unknownTaskError(name);
      return storedTaskFromRow(row);
    },

    async put(task, expected, existing) {
      const row = taskRow(task);
      const [before, , written] = await withDatabaseErrors(() =>
        db.batch([
          current(task.name),
          deleteProfiles(task.name, expected, existing),
          db
            .insert(tasks)
            .select(
              selectTaskRow(
                task.name,
                row,
                firstGeneration(task.name, ""),
                sql`${preconditionHolds(expected, generationOf(task.name))} AND ${profilesMayStay(task.name, row)}`,
              ),
            )
            .onConflictDoUpdate({ target: tasks.name, set: { ...row, generation: sql`${tasks.generation} + 1` } })
            .returning({ generation: tasks.generation }),
        ]),
      );
      const [result] = written;
      if (!result) throw rejectionError(task.name, expected, before[0]?.generation);
      return { generation: result.generation, created: before.length === 0 };
    },

    async delete(name, expected, existing) {
      const [before, , deleted] = await withDatabaseErrors(() =>
        db.batch([
          current(name),
          deleteProfiles(name, expected, existing),
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
