import { and, eq, type SQL, sql } from "drizzle-orm";
import { profiles, shard, tasks, tombstones } from "../../schema/tables.ts";
import { bytesFromFloats } from "../lib/floats.ts";
import type { NewTask } from "../profiles/task.ts";

/**
 * Returns SQL for the generation of a new row: one above its deletion's, if the row existed before.
 *
 * @param id a profile's; empty for the task itself
 */
export function firstGeneration(task: string, id: string | SQL): SQL<number> {
  const isRow = and(eq(tombstones.task, task), eq(tombstones.id, id));
  return sql`coalesce((SELECT ${tombstones.generation} FROM ${tombstones} WHERE ${isRow}), 0) + 1`;
}

/** On a conflict, an insert of a profile replaces its parts and increases its generation. */
export const replaceProfile = {
  target: [profiles.task, profiles.id],
  set: {
    masks: sql`excluded.masks`,
    labelBias: sql`excluded.label_bias`,
    updatedAt: sql`excluded.updated_at`,
    generation: sql`${profiles.generation} + 1`,
  },
};

/** Returns a task's row without name and generation. */
export function taskRow(task: NewTask) {
  return {
    bundle: task.bundle,
    labels: JSON.stringify(task.labels),
    maxTokens: task.maxTokens,
    head: bytesFromFloats(task.head),
    masks: task.masks,
    adapter: task.adapter,
    updatedAt: Date.now(),
  };
}

/** A task's row without name and generation. */
export type TaskRow = ReturnType<typeof taskRow>;

/** Returns the SQL condition that a task has no profiles. */
export const hasNoProfiles = (name: string): SQL =>
  sql`NOT EXISTS (SELECT 1 FROM ${profiles} WHERE ${profiles.task} = ${name})`;

/**
 * Returns the SQL condition that masks of a stored task still fit a new row: both have the same bundle, labels, head and
 * adapter.
 */
export const masksStillFit = ({ bundle, labels, head, adapter }: TaskRow): SQL =>
  sql`${tasks.bundle} = ${bundle} AND ${tasks.labels} = ${labels} AND ${tasks.head} = ${head}
    AND ${tasks.adapter} IS ${adapter}`;

/** Returns the SQL condition that a task's profiles still fit a new row, or that there are none. */
export function profilesMayStay(name: string, row: TaskRow): SQL {
  const same = sql`EXISTS (SELECT 1 FROM ${tasks} WHERE ${tasks.name} = ${name} AND ${masksStillFit(row)})`;
  return sql`(${same} OR ${hasNoProfiles(name)})`;
}

/**
 * Returns the SELECT of a task's row for an insert, in the order of the table's columns.
 *
 * @param condition is checked in the statement itself
 */
export function selectTaskRow(name: string, row: TaskRow, generation: SQL | number, condition: SQL): SQL {
  return sql`SELECT ${name}, ${row.bundle}, ${row.labels}, ${row.maxTokens}, ${row.head}, ${row.masks}, ${generation},
    ${row.updatedAt}, ${row.adapter} WHERE ${condition}`;
}

/** SQL for a database's own place: "1/2" for database 1 of 2; NULL if it has none. */
export const shardPlaceSql = sql<string | null>`(SELECT ${shard.number} || '/' || ${shard.count} FROM ${shard})`;
