import { and, asc, eq, getTableColumns } from "drizzle-orm";
import { profiles, tasks } from "../schema/tables.ts";
import type { Database } from "./database.ts";
import type { Task } from "./engine.ts";
import { XpeftError } from "./errors.ts";
import { createPush, type Push } from "./push.ts";
import { profileFromRow, type StoredProfile, type TaskSummary, taskFromRow, taskSummaryFromRow } from "./rows.ts";

/** A task and one of its profiles as they stood at the same moment; null for what is not there. */
export interface TaskAndProfile {
  readonly task: Task | null;
  readonly profile: StoredProfile | null;
}

/** A profile, and the generation that its task stood at when it was read; null for what is not there. */
export interface ProfileRead {
  readonly profile: StoredProfile | null;
  readonly taskGeneration: number | null;
}

/** The database's tasks and profiles. Every method throws `database_unavailable` if the database fails. */
export interface ProfileStore {
  /** All tasks without their heads and masks, by name. */
  tasks(): Promise<TaskSummary[]>;
  /** A task and a profile in one round trip. @throws XpeftError `invalid_row` if what is stored cannot be read */
  read(task: string, profile: string): Promise<TaskAndProfile>;
  /** A profile alone, for a caller that has its task already. */
  readProfile(task: string, profile: string): Promise<ProfileRead>;
  /**
   * Writes a task and profiles of it: all of them, or none if anything fails.
   *
   * @throws XpeftError `mismatched_write` if profiles that are left out would be left with a head they were not trained
   * with, `write_conflict` if another push of the task came between
   */
  push: Push;
}

/** Runs database work, giving whatever fails in it the project's own name. */
async function reach<T>(work: () => PromiseLike<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof XpeftError) throw cause;
    throw new XpeftError(
      "database_unavailable",
      "The database did not do what it was asked.",
      "Try again; if it goes on, check that the migrations are applied.",
      { cause },
    );
  }
}

/** The store over a database whose migrations are applied. */
export function createStore(db: Database): ProfileStore {
  const push = createPush(db);
  return {
    async tasks() {
      const { head: _head, masks: _masks, ...summary } = getTableColumns(tasks);
      const rows = await reach(() => db.select(summary).from(tasks).orderBy(asc(tasks.name)));
      return rows.map(taskSummaryFromRow);
    },

    async read(task, profile) {
      const [taskRows, profileRows] = await reach(() =>
        db.batch([
          db.select().from(tasks).where(eq(tasks.name, task)),
          db
            .select()
            .from(profiles)
            .where(and(eq(profiles.task, task), eq(profiles.id, profile))),
        ]),
      );
      const [taskRow] = taskRows;
      const [profileRow] = profileRows;
      return {
        task: taskRow ? taskFromRow(taskRow) : null,
        profile: profileRow ? profileFromRow(profileRow) : null,
      };
    },

    async readProfile(task, profile) {
      const [row] = await reach(() =>
        db
          .select({ profile: profiles, taskGeneration: tasks.generation })
          .from(tasks)
          .leftJoin(profiles, and(eq(profiles.task, tasks.name), eq(profiles.id, profile)))
          .where(eq(tasks.name, task)),
      );
      return {
        profile: row?.profile ? profileFromRow(row.profile) : null,
        taskGeneration: row?.taskGeneration ?? null,
      };
    },

    push: (task, rows) => reach(() => push(task, rows)),
  };
}
