import { and, eq, type SQL, sql } from "drizzle-orm";
import { profiles, shard, tasks, tombstones } from "../../schema/tables.ts";
import { bytesFromFloats } from "../lib/floats.ts";
import type { NewTask } from "../profiles/task.ts";

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

/** A task's row without name and generation. */
export function taskRow(task: NewTask) {
  return {
    bundle: task.bundle,
    labels: JSON.stringify(task.labels),
    maxTokens: task.maxTokens,
    head: bytesFromFloats(task.head),
    masks: task.masks,
    updatedAt: Date.now(),
  };
}

/** The condition that a task has no profiles. */
export const hasNoProfiles = (name: string): SQL =>
  sql`NOT EXISTS (SELECT 1 FROM ${profiles} WHERE ${profiles.task} = ${name})`;

/** The condition that profiles of a task may stay if it becomes this: they were trained with the same, or there are none. */
export function profilesMayStay(name: string, { bundle, labels, head }: ReturnType<typeof taskRow>): SQL {
  const same = sql`EXISTS (SELECT 1 FROM ${tasks} WHERE ${tasks.name} = ${name} AND ${tasks.bundle} = ${bundle}
    AND ${tasks.labels} = ${labels} AND ${tasks.head} = ${head})`;
  return sql`(${same} OR ${hasNoProfiles(name)})`;
}

/** What a database says of itself, as an expression of SQL: "1/2" for database 1 of 2; NULL where it says nothing. */
export const shardPlaceSql = sql<string | null>`(SELECT ${shard.number} || '/' || ${shard.count} FROM ${shard})`;
