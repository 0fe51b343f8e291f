import { and, eq, type SQL, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import type { ProfileName } from "../profiles/names.ts";
import type { Database } from "./database.ts";

/** The condition that a row of the profiles is this one. */
export const whereProfile = ({ task, id }: ProfileName) => and(eq(profiles.task, task), eq(profiles.id, id));

/** A profile's generation; NULL where it is not there. */
export const generationOf = (name: ProfileName): SQL =>
  sql`(SELECT ${profiles.generation} FROM ${profiles} WHERE ${whereProfile(name)})`;

/** Reads the generations of a task and a profile as they stand; the profile's is null where it is not there. */
export function selectGenerations(db: Database, name: ProfileName) {
  return (
    db
      // In a batch, D1 gives rows as objects: two columns of one name would be one.
      .select({
        task: sql<number>`${tasks.generation}`.as("task_generation"),
        profile: sql<number | null>`${profiles.generation}`.as("profile_generation"),
      })
      .from(tasks)
      .leftJoin(profiles, whereProfile(name))
      .where(eq(tasks.name, name.task))
  );
}
