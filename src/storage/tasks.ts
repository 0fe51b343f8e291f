import { and, asc, eq, getTableColumns, gt, type SQL, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import { unknownTask } from "../profiles/not-found.ts";
import type { NewTask, StoredTask, TaskSummary } from "../profiles/task.ts";
import type { Database } from "./database.ts";
import { reach } from "./database.ts";
import type { Page, PageQuery } from "./page.ts";
import { type Expected, generationMismatch, holds, meets } from "./precondition.ts";
import { storedTaskFromRow, taskSummaryFromRow } from "./rows.ts";
import { firstGeneration, mayStay, noProfiles, rowOf } from "./sql.ts";

/** What becomes of a task's profiles when its head changes or it goes: they stand in the way, or go too. */
export type ProfilesFate = "keep" | "delete";

/** How a write ended. */
export interface Written {
  readonly generation: number;
  readonly created: boolean;
}

/** The tasks of a database. Every method throws `database_unavailable` if the database fails. */
export interface TaskRegistry {
  /** Tasks without their heads and masks, by name. @param only the one task that the caller may see, or null for all */
  list(query: PageQuery, only: string | null): Promise<Page<TaskSummary>>;

  /** @throws XpeftError `unknown_task`, or `invalid_row` if what is stored cannot be read */
  get(name: string): Promise<StoredTask>;

  /**
   * Creates or replaces a task in one transaction.
   *
   * @throws XpeftError `generation_mismatch`, or `task_has_profiles` if profiles that stay would be left with labels, a
   * head or a bundle that they were not trained with
   */
  put(task: NewTask, expected: Expected, fate: ProfilesFate): Promise<Written>;

  /**
   * Deletes a task in one transaction.
   *
   * @returns the generation that its deletion took
   * @throws XpeftError `unknown_task`, `generation_mismatch`, or `task_has_profiles` if it has some and they are to stay
   */
  delete(name: string, expected: Expected, fate: ProfilesFate): Promise<number>;
}

/** The error of a write that would leave profiles without what they were trained with. */
export function taskHasProfiles(name: string): XpeftError {
  return new XpeftError(
    "task_has_profiles",
    `Task "${name}" has profiles, which would be left without what they were trained with.`,
    'Say "profiles=delete" to delete them too, or write the new task under a name of its own.',
  );
}

/** Why a write's condition did not hold. @param generation the task's, undefined where there is none */
export function refusal(name: string, expected: Expected, generation: number | undefined): XpeftError {
  if (meets(expected, generation ?? 0)) return taskHasProfiles(name);
  return generationMismatch(`Task "${name}"`, expected, generation ?? 0);
}

/** The registry over a database whose migrations are applied. */
export function createTaskRegistry(db: Database): TaskRegistry {
  const generationOf = (name: string): SQL =>
    sql`(SELECT ${tasks.generation} FROM ${tasks} WHERE ${tasks.name} = ${name})`;
  const current = (name: string) => db.select({ generation: tasks.generation }).from(tasks).where(eq(tasks.name, name));

  const deleteProfiles = (name: string, expected: Expected, fate: ProfilesFate) =>
    db
      .delete(profiles)
      .where(and(eq(profiles.task, name), fate === "delete" ? holds(expected, generationOf(name)) : sql`FALSE`));

  return {
    async list({ limit, after }, only) {
      const { head: _head, masks: _masks, ...summary } = getTableColumns(tasks);
      const rows = await reach(() =>
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
      const [row] = await reach(() => db.select().from(tasks).where(eq(tasks.name, name)));
      if (!row) throw unknownTask(name);
      return storedTaskFromRow(row);
    },

    async put(task, expected, fate) {
      const row = rowOf(task);
      const [before, , written] = await reach(() =>
        db.batch([
          current(task.name),
          deleteProfiles(task.name, expected, fate),
          db
            .insert(tasks)
            .select(
              // In the order of the table's columns.
              sql`SELECT ${task.name}, ${row.bundle}, ${row.labels}, ${row.maxTokens}, ${row.head}, ${row.masks},
                ${firstGeneration(task.name, "")}, ${row.updatedAt}
                WHERE ${holds(expected, generationOf(task.name))} AND ${mayStay(task.name, row)}`,
            )
            .onConflictDoUpdate({ target: tasks.name, set: { ...row, generation: sql`${tasks.generation} + 1` } })
            .returning({ generation: tasks.generation }),
        ]),
      );
      const [result] = written;
      if (!result) throw refusal(task.name, expected, before[0]?.generation);
      return { generation: result.generation, created: before.length === 0 };
    },

    async delete(name, expected, fate) {
      const [before, , deleted] = await reach(() =>
        db.batch([
          current(name),
          deleteProfiles(name, expected, fate),
          db
            .delete(tasks)
            .where(and(eq(tasks.name, name), holds(expected, generationOf(name)), noProfiles(name)))
            .returning({ generation: tasks.generation }),
        ]),
      );
      const [row] = deleted;
      if (row) return row.generation + 1;
      if (before.length === 0 && (expected === undefined || expected === 0)) throw unknownTask(name);
      throw refusal(name, expected, before[0]?.generation);
    },
  };
}
