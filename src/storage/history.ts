import { and, desc, eq, sql } from "drizzle-orm";
import { profileHistory, profiles, tasks } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import { describeProfile, type ProfileName } from "../profiles/names.ts";
import { unknownProfileError, unknownTaskError } from "../profiles/not-found.ts";
import type { StoredProfile } from "../profiles/profile.ts";
import { type Database, withDatabaseErrors } from "./database.ts";
import { generationMismatchError, meetsPrecondition, type Precondition, preconditionHolds } from "./precondition.ts";
import { generationOf, selectGenerations, whereProfile } from "./profile-sql.ts";
import { profileFromRow } from "./rows.ts";

/** Earlier generations of profiles. Every method throws `database_unavailable` if the database fails. */
export interface ProfileHistory {
  /**
   * Returns a profile and its stored earlier generations, the latest first.
   *
   * @throws XpeftError `unknown_task` or `unknown_profile`
   */
  read(name: ProfileName): Promise<{ current: StoredProfile; earlier: StoredProfile[] }>;

  /**
   * Writes an earlier generation's masks and label bias as a new generation, in one transaction.
   *
   * @throws XpeftError `unknown_task`, `unknown_profile`, `unknown_generation` or `generation_mismatch`
   */
  rollBack(name: ProfileName, to: number, expected: Precondition): Promise<number>;
}

/** Creates the history of a database whose migrations are applied; its triggers record the history. */
export function createProfileHistory(db: Database): ProfileHistory {
  return {
    async read(name) {
      const [[task], [current], earlier] = await withDatabaseErrors(() =>
        db.batch([
          db.select({ name: tasks.name }).from(tasks).where(eq(tasks.name, name.task)),
          db.select().from(profiles).where(whereProfile(name)),
          db
            .select()
            .from(profileHistory)
            .where(and(eq(profileHistory.task, name.task), eq(profileHistory.id, name.id)))
            .orderBy(desc(profileHistory.generation)),
        ]),
      );
      if (!task) throw unknownTaskError(name.task);
      if (!current) throw unknownProfileError(name.task, name.id);
      return { current: profileFromRow(current), earlier: earlier.map(profileFromRow) };
    },

    async rollBack(name, to, expected) {
      const isTarget = and(
        eq(profileHistory.task, name.task),
        eq(profileHistory.id, name.id),
        eq(profileHistory.generation, to),
      );
      const [[before], targets, [written]] = await withDatabaseErrors(() =>
        db.batch([
          selectGenerations(db, name),
          db.select({ generation: profileHistory.generation }).from(profileHistory).where(isTarget),
          db
            .update(profiles)
            .set({
              masks: sql`(SELECT ${profileHistory.masks} FROM ${profileHistory} WHERE ${isTarget})`,
              labelBias: sql`(SELECT ${profileHistory.labelBias} FROM ${profileHistory} WHERE ${isTarget})`,
              generation: sql`${profiles.generation} + 1`,
              updatedAt: Date.now(),
            })
            .where(
              and(
                whereProfile(name),
                preconditionHolds(expected, generationOf(name)),
                sql`EXISTS (SELECT 1 FROM ${profileHistory} WHERE ${isTarget})`,
              ),
            )
            .returning({ generation: profiles.generation }),
        ]),
      );
      if (!before) throw unknownTaskError(name.task);
      if (written) return written.generation;
      if (!meetsPrecondition(expected, before.profile ?? 0)) {
        throw generationMismatchError(describeProfile(name), expected, before.profile ?? 0);
      }
      if (before.profile === null) throw unknownProfileError(name.task, name.id);
      if (targets.length > 0) throw new TypeError("a rollback did not run although all of its conditions hold");
      throw new XpeftError("unknown_generation", `${describeProfile(name)} has no generation ${to} in its history.`);
    },
  };
}
