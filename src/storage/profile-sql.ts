import { and, eq, type SQL, sql } from "drizzle-orm";
import { profiles, tasks } from "../../schema/tables.ts";
import type { ProfileName } from "../profiles/names.ts";
import type { Database } from "./database.ts";

/** Returns the SQL condition for a profile's row. */
export const whereProfile = ({ task, id }: ProfileName) => and(eq(profiles.task, task), eq(profiles.id, id));

/** Returns SQL for a profile's generation; NULL if it does not exist. */
export const generationOf = (name: ProfileName): SQL =>
  sql`(SELECT ${profiles.generation} FROM ${profiles} WHERE ${whereProfile(name)})`;

/** Returns a query of the current generations of a task and a profile; the profile's is null if it does not exist. */
export function selectGenerations(db: Database, name: ProfileName) {
  return (
    db
      // In a batch, D1 returns rows as objects: two columns of the same name would become one.
      .select({
        task: sql<number>`${tasks.generation}`.as("task_generation"),
        profile: sql<number | null>`${profiles.generation}`.as("profile_generation"),
      })
      .from(tasks)
      .leftJoin(profiles, whereProfile(name))
      .where(eq(tasks.name, name.task))
  );
}
