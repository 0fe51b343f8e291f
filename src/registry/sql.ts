import { and, eq, type SQL, sql } from "drizzle-orm";
import { profiles, tombstones } from "../../schema/tables.ts";

/**
 * The generation of a row that is made: one above that of its deletion, if it was there before.
 *
 * @param id a profile's; empty for the task itself
 */
export function firstGeneration(task: string, id: string | SQL): SQL<number> {
  const then = and(eq(tombstones.task, task), eq(tombstones.id, id));
  return sql`coalesce((SELECT ${tombstones.generation} FROM ${tombstones} WHERE ${then}), 0) + 1`;
}

/** What an insert of a profile does where there is one already: its parts are replaced, and its generation goes up. */
export const replaceProfile = {
  target: [profiles.task, profiles.id],
  set: {
    masks: sql`excluded.masks`,
    labelBias: sql`excluded.label_bias`,
    updatedAt: sql`excluded.updated_at`,
    generation: sql`${profiles.generation} + 1`,
  },
};
