import { and, asc, desc, eq, gt, gte, lt, type SQL, sql } from "drizzle-orm";
import { profileHistory, profiles, tasks } from "../../schema/tables.ts";
import type { Database } from "../database.ts";
import type { ProfileParts } from "../engine.ts";
import { XpeftError } from "../errors.ts";
import { profileFromRow, type StoredProfile } from "../rows.ts";
import { unknownProfile, unknownTask } from "../unknown.ts";
import { type Expected, generationMismatch, holds, meets } from "./expected.ts";
import type { Page, PageQuery } from "./page.ts";
import { reach } from "./reach.ts";
import { firstGeneration, replaceProfile } from "./sql.ts";
import type { Written } from "./tasks.ts";

/** Which profile. */
export interface ProfileName {
  readonly task: string;
  readonly id: string;
}

/** The profiles of a database. Every method throws `database_unavailable` if the database fails. */
export interface ProfileRegistry {
  /**
   * Profiles of a task by id, masks and label bias included.
   *
   * @param prefix what the ids start with; empty for all
   * @throws XpeftError `unknown_task`
   */
  list(task: string, query: PageQuery, prefix: string): Promise<Page<StoredProfile>>;

  /** @throws XpeftError `unknown_task` or `unknown_profile` */
  get(name: ProfileName): Promise<StoredProfile>;

  /**
   * Creates or replaces a profile in one transaction. Its parts must have been checked against the task.
   *
   * @param taskGeneration the generation of the task that the parts were checked against
   * @throws XpeftError `unknown_task`, `generation_mismatch`, or `write_conflict` if the task has been written since
   */
  put(name: ProfileName, parts: ProfileParts, taskGeneration: number, expected: Expected): Promise<Written>;

  /**
   * Deletes a profile and its history in one transaction.
   *
   * @returns the generation that its deletion took
   * @throws XpeftError `unknown_task`, `unknown_profile` or `generation_mismatch`
   */
  delete(name: ProfileName, expected: Expected): Promise<number>;

  /** A profile's earlier generations that are kept, the latest first. @throws XpeftError `unknown_task` or `unknown_profile` */
  history(name: ProfileName): Promise<{ current: StoredProfile; earlier: StoredProfile[] }>;

  /**
   * Writes an earlier generation's masks and label bias again, as a new generation, in one transaction.
   *
   * @throws XpeftError `unknown_task`, `unknown_profile`, `unknown_generation` or `generation_mismatch`
   */
  rollBack(name: ProfileName, to: number, expected: Expected): Promise<number>;
}

const called = ({ id }: ProfileName) => `Profile "${id}"`;

/** The error of a write that met another. */
export function taskChanged(task: string): XpeftError {
  return new XpeftError(
    "write_conflict",
    `Task "${task}" was written by someone else at the same time.`,
    "Look at what is there now, then write again.",
  );
}

/** The registry over a database whose migrations are applied. */
export function createProfileRegistry(db: Database): ProfileRegistry {
  const is = ({ task, id }: ProfileName) => and(eq(profiles.task, task), eq(profiles.id, id));
  const generationOf = (name: ProfileName): SQL =>
    sql`(SELECT ${profiles.generation} FROM ${profiles} WHERE ${is(name)})`;

  /** Generations of task and profile as they stand; the profile's is null where it is not there. */
  const stand = (name: ProfileName) =>
    db
      // In a batch, D1 gives rows as objects: two columns of one name would be one.
      .select({
        task: sql<number>`${tasks.generation}`.as("task_generation"),
        profile: sql<number | null>`${profiles.generation}`.as("profile_generation"),
      })
      .from(tasks)
      .leftJoin(profiles, is(name))
      .where(eq(tasks.name, name.task));

  async function read(name: ProfileName): Promise<StoredProfile> {
    const [row] = await reach(() =>
      db.select({ profile: profiles }).from(tasks).leftJoin(profiles, is(name)).where(eq(tasks.name, name.task)),
    );
    if (!row) throw unknownTask(name.task);
    if (!row.profile) throw unknownProfile(name.task, name.id);
    return profileFromRow(row.profile);
  }

  return {
    async list(task, { limit, after }, prefix) {
      const [known, rows] = await reach(() =>
        db.batch([
          db.select({ name: tasks.name }).from(tasks).where(eq(tasks.name, task)),
          db
            .select()
            .from(profiles)
            .where(
              and(
                eq(profiles.task, task),
                gt(profiles.id, after),
                gte(profiles.id, prefix),
                // Ids are ASCII, and no character of theirs comes after this one.
                lt(profiles.id, `${prefix}\x7f`),
              ),
            )
            .orderBy(asc(profiles.id))
            .limit(limit + 1),
        ]),
      );
      if (known.length === 0) throw unknownTask(task);
      const shown = rows.slice(0, limit).map(profileFromRow);
      return { items: shown, next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
    },

    get: read,

    async put(name, { masks, labelBias }, taskGeneration, expected) {
      const sameTask = sql`EXISTS (SELECT 1 FROM ${tasks} WHERE ${tasks.name} = ${name.task} AND ${tasks.generation} = ${taskGeneration})`;
      const [[before], [written]] = await reach(() =>
        db.batch([
          stand(name),
          db
            .insert(profiles)
            .select(
              // In the order of the table's columns.
              sql`SELECT ${name.task}, ${name.id}, ${masks}, ${labelBias}, ${firstGeneration(name.task, name.id)}, ${Date.now()}
                WHERE ${sameTask} AND ${holds(expected, generationOf(name))}`,
            )
            .onConflictDoUpdate(replaceProfile)
            .returning({ generation: profiles.generation }),
        ]),
      );
      if (!before) throw unknownTask(name.task);
      if (written) return { generation: written.generation, created: before.profile === null };
      if (before.task !== taskGeneration) throw taskChanged(name.task);
      throw generationMismatch(called(name), expected, before.profile ?? 0);
    },

    async delete(name, expected) {
      const [[before], [deleted]] = await reach(() =>
        db.batch([
          stand(name),
          db
            .delete(profiles)
            .where(and(is(name), holds(expected, generationOf(name))))
            .returning({ generation: profiles.generation }),
        ]),
      );
      if (!before) throw unknownTask(name.task);
      if (deleted) return deleted.generation + 1;
      if (before.profile === null && (expected === undefined || expected === 0)) {
        throw unknownProfile(name.task, name.id);
      }
      throw generationMismatch(called(name), expected, before.profile ?? 0);
    },

    async history(name) {
      const [[task], [current], earlier] = await reach(() =>
        db.batch([
          db.select({ name: tasks.name }).from(tasks).where(eq(tasks.name, name.task)),
          db.select().from(profiles).where(is(name)),
          db
            .select()
            .from(profileHistory)
            .where(and(eq(profileHistory.task, name.task), eq(profileHistory.id, name.id)))
            .orderBy(desc(profileHistory.generation)),
        ]),
      );
      if (!task) throw unknownTask(name.task);
      if (!current) throw unknownProfile(name.task, name.id);
      return { current: profileFromRow(current), earlier: earlier.map(profileFromRow) };
    },

    async rollBack(name, to, expected) {
      const then = and(
        eq(profileHistory.task, name.task),
        eq(profileHistory.id, name.id),
        eq(profileHistory.generation, to),
      );
      const [[before], kept, [written]] = await reach(() =>
        db.batch([
          stand(name),
          db.select({ generation: profileHistory.generation }).from(profileHistory).where(then),
          db
            .update(profiles)
            .set({
              masks: sql`(SELECT ${profileHistory.masks} FROM ${profileHistory} WHERE ${then})`,
              labelBias: sql`(SELECT ${profileHistory.labelBias} FROM ${profileHistory} WHERE ${then})`,
              generation: sql`${profiles.generation} + 1`,
              updatedAt: Date.now(),
            })
            .where(
              and(
                is(name),
                holds(expected, generationOf(name)),
                sql`EXISTS (SELECT 1 FROM ${profileHistory} WHERE ${then})`,
              ),
            )
            .returning({ generation: profiles.generation }),
        ]),
      );
      if (!before) throw unknownTask(name.task);
      if (written) return written.generation;
      if (!meets(expected, before.profile ?? 0)) {
        throw generationMismatch(called(name), expected, before.profile ?? 0);
      }
      if (before.profile === null) throw unknownProfile(name.task, name.id);
      if (kept.length > 0) throw new TypeError("a roll-back whose every condition held was not done");
      throw new XpeftError(
        "unknown_generation",
        `${called(name)} has no generation ${to} to go back to.`,
        "Its history lists those that are kept: the last five, since the task's head last changed.",
      );
    },
  };
}
