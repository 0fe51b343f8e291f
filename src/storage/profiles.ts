import { and, asc, eq, gt, gte, lt, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import { describeProfile, type ProfileName } from "../profiles/names.ts";
import { unknownProfileError, unknownTaskError } from "../profiles/not-found.ts";
import type { ProfileParts, StoredProfile } from "../profiles/profile.ts";
import type { Database } from "./database.ts";
import { withDatabaseErrors } from "./database.ts";
import type { ListPage, ListQuery } from "./page.ts";
import { generationMismatchError, type Precondition, preconditionHolds, taskChangedError } from "./precondition.ts";
import { generationOf, selectGenerations, whereProfile } from "./profile-sql.ts";
import { profileFromRow } from "./rows.ts";
import { firstGeneration, replaceProfile } from "./sql.ts";
import type { WriteOutcome } from "./tasks.ts";

/** Masks of the largest pools weigh a thousand times those of the default one, and a page must fit in memory. */
export const PAGE_BYTES = 4 * 1024 * 1024;

/** The profiles of a database. Every method throws `database_unavailable` if the database fails. */
export interface ProfileRegistry {
  /**
   * Profiles of a task by id, masks and label bias included; fewer than asked for where their masks are large.
   *
   * @param prefix what the ids start with; empty for all
   * @throws XpeftError `unknown_task`
   */
  list(task: string, query: ListQuery, prefix: string): Promise<ListPage<StoredProfile>>;

  /** @throws XpeftError `unknown_task` or `unknown_profile` */
  get(name: ProfileName): Promise<StoredProfile>;

  /**
   * Creates or replaces a profile in one transaction. Its parts must have been checked against the task.
   *
   * @param taskGeneration the generation of the task that the parts were checked against
   * @throws XpeftError `unknown_task`, `generation_mismatch`, or `write_conflict` if the task has been written since
   */
  put(name: ProfileName, parts: ProfileParts, taskGeneration: number, expected: Precondition): Promise<WriteOutcome>;

  /**
   * Deletes a profile and its history in one transaction.
   *
   * @returns the generation that its deletion took
   * @throws XpeftError `unknown_task`, `unknown_profile` or `generation_mismatch`
   */
  delete(name: ProfileName, expected: Precondition): Promise<number>;
}

/** The registry over a database whose migrations are applied. */
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
      const [of] = await withDatabaseErrors(() =>
        db
          .select({ maskBytes: sql<number>`length(${tasks.masks})` })
          .from(tasks)
          .where(eq(tasks.name, task)),
      );
      if (!of) throw unknownTaskError(task);
      const most = Math.min(limit, Math.max(1, Math.floor(PAGE_BYTES / of.maskBytes)));
      const rows = await withDatabaseErrors(() =>
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
          .limit(most + 1),
      );
      const shown = rows.slice(0, most).map(profileFromRow);
      return { items: shown, next: rows.length > most ? (shown.at(-1)?.id ?? null) : null };
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
