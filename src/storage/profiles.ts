import { and, asc, eq, getTableColumns, gt, gte, lt, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import { describeProfile, type ProfileName } from "../profiles/names.ts";
import { unknownProfileError, unknownTaskError } from "../profiles/not-found.ts";
import type { ProfileParts, StoredProfile } from "../profiles/profile.ts";
import { type Database, withDatabaseErrors } from "./database.ts";
import { type ListPage, type ListQuery, profilesOfPage } from "./page.ts";
import { generationMismatchError, type Precondition, preconditionHolds, taskChangedError } from "./precondition.ts";
import { generationOf, selectGenerations, whereProfile } from "./profile-sql.ts";
import { profileFromRow } from "./rows.ts";
import { firstGeneration, replaceProfile } from "./sql.ts";
import type { WriteOutcome } from "./tasks.ts";

/** A page of a task's profiles. */
interface ProfilePage extends ListPage<StoredProfile> {
  /** The task's generation when the profiles were read; null if databases differed then. */
  readonly taskGeneration: number | null;
}

/** The profiles of a database. Every method throws `database_unavailable` if the database fails. */
export interface ProfileRegistry {
  /**
   * Returns profiles of a task by id; fewer than requested if their masks or label biases are large.
   *
   * @param prefix of the ids; empty for all
   * @throws XpeftError `unknown_task`
   */
  list(task: string, query: ListQuery, prefix: string): Promise<ProfilePage>;

  /** Returns a profile. @throws XpeftError `unknown_task` or `unknown_profile` */
  get(name: ProfileName): Promise<StoredProfile>;

  /**
   * Creates or replaces a profile in one transaction. The caller has checked its parts against the task.
   *
   * @param taskGeneration generation of that task
   * @throws XpeftError `unknown_task`, `generation_mismatch`, or `write_conflict` if the task was written since
   */
  put(name: ProfileName, parts: ProfileParts, taskGeneration: number, expected: Precondition): Promise<WriteOutcome>;

  /**
   * Deletes a profile and its history in one transaction.
   *
   * @returns the generation of the deletion
   * @throws XpeftError `unknown_task`, `unknown_profile` or `generation_mismatch`
   */
  delete(name: ProfileName, expected: Precondition): Promise<number>;
}

/** Creates the registry of a database whose migrations are applied. */
export function createProfileRegistry(db: Database): ProfileRegistry {
  async function read(name: ProfileName): Promise<StoredProfile> {
    const [row] = await withDatabaseErrors(() =>
      db
        .select({ profile: profiles })
        .from(tasks)
        .leftJoin(profiles, whereProfile(name))
        .where(eq(tasks.name, name.task)),
    );
    if (!row) throw unknownTaskError(name.task);
    if (!row.profile) throw unknownProfileError(name.task, name.id);
    return profileFromRow(row.profile);
  }

  return {
    async list(task, { limit, after }, prefix) {
      const inPage = and(
        eq(profiles.task, task),
        gt(profiles.id, after),
        gte(profiles.id, prefix),
        // Ids are ASCII, and none of their characters comes after this one.
        lt(profiles.id, `${prefix}\x7f`),
      );
      // Profiles of a task differ: each may have masks or none, and a label bias of its own length.
      const profileBytes = sql<number>`(SELECT coalesce(max(length(masks) + coalesce(length(label_bias), 0)), 0) FROM
        (SELECT ${profiles.masks}, ${profiles.labelBias} FROM ${profiles} WHERE ${inPage} ORDER BY ${profiles.id} LIMIT ${limit}))`;
      const [taskRow] = await withDatabaseErrors(() =>
        db.select({ profileBytes, generation: tasks.generation }).from(tasks).where(eq(tasks.name, task)),
      );
      if (!taskRow) throw unknownTaskError(task);
      const pageSize = profilesOfPage(limit, taskRow.profileBytes);
      const taskGeneration = sql<
        number | null
      >`(SELECT ${tasks.generation} FROM ${tasks} WHERE ${tasks.name} = ${task})`;
      const rows = await withDatabaseErrors(() =>
        db
          .select({ profile: getTableColumns(profiles), taskGeneration })
          .from(profiles)
          .where(inPage)
          .orderBy(asc(profiles.id))
          .limit(pageSize + 1),
      );
      const items = rows.slice(0, pageSize).map(({ profile }) => profileFromRow(profile));
      return {
        items,
        next: rows.length > pageSize ? (items.at(-1)?.id ?? null) : null,
        taskGeneration: rows[0] ? rows[0].taskGeneration : taskRow.generation,
      };
    },

    get: read,

    async put(name, { masks, labelBias }, taskGeneration, expected) {
      const sameTask = sql`EXISTS (SELECT 1 FROM ${tasks} WHERE ${tasks.name} = ${name.task} AND ${tasks.generation} = ${taskGeneration})`;
      const [[before], [written]] = await withDatabaseErrors(() =>
        db.batch([
          selectGenerations(db, name),
          db
            .insert(profiles)
            .select(
              // In the order of the table's columns.
              sql`SELECT ${name.task}, ${name.id}, ${masks}, ${labelBias}, ${firstGeneration(name.task, name.id)}, ${Date.now()}
                WHERE ${sameTask} AND ${preconditionHolds(expected, generationOf(name))}`,
            )
            .onConflictDoUpdate(replaceProfile)
            .returning({ generation: profiles.generation }),
        ]),
      );
      if (!before) throw unknownTaskError(name.task);
      if (written) return { generation: written.generation, created: before.profile === null };
      if (before.task !== taskGeneration) throw taskChangedError(name.task);
      throw generationMismatchError(describeProfile(name), expected, before.profile ?? 0);
    },

    async delete(name, expected) {
      const [[before], [deleted]] = await withDatabaseErrors(() =>
        db.batch([
          selectGenerations(db, name),
          db
            .delete(profiles)
            .where(and(whereProfile(name), preconditionHolds(expected, generationOf(name))))
            .returning({ generation: profiles.generation }),
        ]),
      );
      if (!before) throw unknownTaskError(name.task);
      if (deleted) return deleted.generation + 1;
      if (before.profile === null && (expected === undefined || expected === 0)) {
        throw unknownProfileError(name.task, name.id);
      }
      throw generationMismatchError(describeProfile(name), expected, before.profile ?? 0);
    },
  };
}
