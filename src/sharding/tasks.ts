import { and, eq, lt, type SQL, sql } from "drizzle-orm";
import { profiles, tasks, tombstones } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import type { NewTask } from "../profiles/task.ts";
import { type Database, withDatabaseErrors } from "../storage/database.ts";
import type { Precondition } from "../storage/precondition.ts";
import { hasNoProfiles, profilesMayStay, selectTaskRow, taskRow } from "../storage/sql.ts";
import {
  createTaskRegistry,
  type ExistingProfiles,
  rejectionError,
  type TaskRegistry,
  taskHasProfilesError,
} from "../storage/tasks.ts";
import { generationAt, outOfStepError } from "./generations.ts";
import { FIRST_SHARD, onShard, type Shards, shardNumbers } from "./shards.ts";

/** Returns the SQL condition that a copy of a task is older than a generation, or does not exist. */
const isBefore = (name: string, generation: number): SQL =>
  sql`NOT EXISTS (SELECT 1 FROM ${tasks} WHERE ${tasks.name} = ${name} AND ${tasks.generation} >= ${generation})`;

/** Returns the deletion of a copy's profiles, if they are deleted too and the copy is older than a generation. */
const deleteProfiles = (db: Database, name: string, generation: number, existing: ExistingProfiles) =>
  db
    .delete(profiles)
    .where(and(eq(profiles.task, name), existing === "delete" ? isBefore(name, generation) : sql`FALSE`));

/** Writes the first database's task to another one, unless its copy is newer or has profiles of another head. */
async function copyTask(db: Database, task: NewTask, generation: number, existing: ExistingProfiles): Promise<void> {
  const row = taskRow(task);
  const deleted = sql`EXISTS (SELECT 1 FROM ${tombstones} WHERE ${tombstones.task} = ${task.name}
    AND ${tombstones.id} = '' AND ${tombstones.generation} >= ${generation})`;
  await withDatabaseErrors(() =>
    db.batch([
      deleteProfiles(db, task.name, generation, existing),
      db
        .insert(tasks)
        .select(
          selectTaskRow(
            task.name,
            row,
            generation,
            sql`${isBefore(task.name, generation)} AND ${profilesMayStay(task.name, row)} AND NOT ${deleted}`,
          ),
        )
        .onConflictDoUpdate({ target: tasks.name, set: { ...row, generation } }),
    ]),
  );
}

/** Deletes a copy that is older than the task's deletion, unless it has profiles that are kept. */
async function removeCopy(db: Database, name: string, deletion: number, existing: ExistingProfiles): Promise<void> {
  await withDatabaseErrors(() =>
    db.batch([
      deleteProfiles(db, name, deletion, existing),
      db.delete(tasks).where(and(eq(tasks.name, name), lt(tasks.generation, deletion), hasNoProfiles(name))),
    ]),
  );
}

/** Returns the generation of a task's deletion in a database; 0 if the task exists, or never existed. */
async function deletionAt(db: Database, name: string): Promise<number> {
  const [row] = await withDatabaseErrors(() =>
    db
      .select({ generation: tombstones.generation })
      .from(tombstones)
      .where(and(eq(tombstones.task, name), eq(tombstones.id, ""))),
  );
  return row?.generation ?? 0;
}

/** Returns whether a condition holds in each of some databases. */
async function holdsAt(shards: Shards, numbers: readonly number[], condition: SQL): Promise<boolean> {
  const queries = numbers.map((number) =>
    onShard(shards, number, (db) =>
      withDatabaseErrors(() => db.select({ holds: sql<number>`${condition}`.as("holds") }).from(sql`(SELECT 1)`)),
    ),
  );
  return (await Promise.all(queries)).every(([row]) => row?.holds);
}

/** Rejects a write of a task with another head, long before it begins. @throws XpeftError `task_has_profiles` */
export async function requireNoProfiles(shards: Shards, name: string): Promise<void> {
  if (!(await holdsAt(shards, shardNumbers(shards), hasNoProfiles(name)))) throw taskHasProfilesError(name);
}

/**
 * Creates the registry of several databases. A write is decided by the first database, then copied to the others. A
 * database that cannot be reached stays behind: reads of it are rejected by its generation until the write is
 * repeated.
 *
 * @returns a registry whose writes also throw XpeftError `shards_out_of_step`, with the generation that was written
 */
export function createShardedTaskRegistry(shards: Shards): TaskRegistry {
  const first = createTaskRegistry(shards.at(FIRST_SHARD));
  if (shards.count === 1) return first;
  const others = shardNumbers(shards).filter((number) => number !== FIRST_SHARD);
  const onFirst = <T>(work: (registry: TaskRegistry) => Promise<T>) => onShard(shards, FIRST_SHARD, () => work(first));

  /** Rejects a write, before it begins, if profiles in the other databases block it. */
  async function requireUnblocked(name: string, expected: Precondition, condition: SQL): Promise<void> {
    if (await holdsAt(shards, others, condition)) return;
    throw rejectionError(name, expected, (await generationAt(shards, FIRST_SHARD, name)) || undefined);
  }

  /**
   * Copies a write to the other databases; all are tried even if one fails.
   *
   * @param generation the task's; 0 if it was deleted
   * @param written the generation that the write took
   */
  async function copyToOthers(
    name: string,
    generation: number,
    write: (db: Database) => Promise<void>,
    written: number,
  ) {
    const outcomes = await Promise.allSettled(
      others.map(async (number) => {
        await onShard(shards, number, write);
        return await generationAt(shards, number, name);
      }),
    );
    for (const [index, outcome] of outcomes.entries()) {
      const number = others[index] ?? FIRST_SHARD;
      if (outcome.status === "rejected") {
        throw outOfStepError(shards, name, generation, number, { cause: outcome.reason });
      }
      const reached = outcome.value >= written || (generation === 0 && outcome.value === 0);
      // A copy may have skipped this write because of a later one, which then counts.
      if (!reached && (await generationAt(shards, FIRST_SHARD, name)) === generation) {
        throw outOfStepError(shards, name, generation, number);
      }
    }
  }

  return {
    list: (query, only) => onFirst((registry) => registry.list(query, only)),
    get: (name) => onFirst((registry) => registry.get(name)),

    async put(task, expected, existing) {
      if (existing === "keep") await requireUnblocked(task.name, expected, profilesMayStay(task.name, taskRow(task)));
      const outcome = await onFirst((registry) => registry.put(task, expected, existing));
      const { generation } = outcome;
      await copyToOthers(task.name, generation, (db) => copyTask(db, task, generation, existing), generation);
      return outcome;
    },

    async delete(name, expected, existing) {
      if (existing === "keep") await requireUnblocked(name, expected, hasNoProfiles(name));
      const removeCopies = (deletion: number) =>
        copyToOthers(name, 0, (db) => removeCopy(db, name, deletion, existing), deletion);
      try {
        const deletion = await onFirst((registry) => registry.delete(name, expected, existing));
        await removeCopies(deletion);
        return deletion;
      } catch (error) {
        // An interrupted deletion is repeated: it left copies, which are deleted now.
        if (error instanceof XpeftError && error.code === "unknown_task") {
          const deletion = await onShard(shards, FIRST_SHARD, (db) => deletionAt(db, name));
          if (deletion > 0) await removeCopies(deletion);
        }
        throw error;
      }
    },
  };
}
