import { and, eq, lt, type SQL, sql } from "drizzle-orm";
import { profiles, tasks, tombstones } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import type { NewTask } from "../profiles/task.ts";
import type { Database } from "../storage/database.ts";
import { withDatabaseErrors } from "../storage/database.ts";
import type { Precondition } from "../storage/precondition.ts";
import { hasNoProfiles, profilesMayStay, taskRow } from "../storage/sql.ts";
import { createTaskRegistry, type ExistingProfiles, rejectionError, type TaskRegistry } from "../storage/tasks.ts";
import { generationAt, outOfStepError } from "./generations.ts";
import { FIRST_SHARD, onShard, type Shards, shardNumbers } from "./shards.ts";

/** The condition that a copy of a task is from before a generation; also where there is none. */
const isBefore = (name: string, generation: number): SQL =>
  sql`NOT EXISTS (SELECT 1 FROM ${tasks} WHERE ${tasks.name} = ${name} AND ${tasks.generation} >= ${generation})`;

/** Deletes what profiles a copy of a task has, if they are to go and the copy is from before a generation. */
const deleteProfiles = (db: Database, name: string, generation: number, fate: ExistingProfiles) =>
  db.delete(profiles).where(and(eq(profiles.task, name), fate === "delete" ? isBefore(name, generation) : sql`FALSE`));

/** Writes a task as the first database has it; nothing where the copy is newer, or has profiles of another head. */
async function copy(db: Database, task: NewTask, generation: number, fate: ExistingProfiles): Promise<void> {
  const row = taskRow(task);
  const deleted = sql`EXISTS (SELECT 1 FROM ${tombstones} WHERE ${tombstones.task} = ${task.name}
    AND ${tombstones.id} = '' AND ${tombstones.generation} >= ${generation})`;
  await withDatabaseErrors(() =>
    db.batch([
      deleteProfiles(db, task.name, generation, fate),
      db
        .insert(tasks)
        .select(
          // In the order of the table's columns.
          sql`SELECT ${task.name}, ${row.bundle}, ${row.labels}, ${row.maxTokens}, ${row.head}, ${row.masks},
            ${generation}, ${row.updatedAt}
            WHERE ${isBefore(task.name, generation)} AND ${profilesMayStay(task.name, row)} AND NOT ${deleted}`,
        )
        .onConflictDoUpdate({ target: tasks.name, set: { ...row, generation } }),
    ]),
  );
}

/** Deletes a copy that is from before the task's deletion; not where it has profiles that are to stay. */
async function remove(db: Database, name: string, deletion: number, fate: ExistingProfiles): Promise<void> {
  await withDatabaseErrors(() =>
    db.batch([
      deleteProfiles(db, name, deletion, fate),
      db.delete(tasks).where(and(eq(tasks.name, name), lt(tasks.generation, deletion), hasNoProfiles(name))),
    ]),
  );
}

/** The generation that a task's deletion took in a database; 0 where it is there, or never was. */
async function deletionAt(db: Database, name: string): Promise<number> {
  const [row] = await withDatabaseErrors(() =>
    db
      .select({ generation: tombstones.generation })
      .from(tombstones)
      .where(and(eq(tombstones.task, name), eq(tombstones.id, ""))),
  );
  return row?.generation ?? 0;
}

/**
 * The tasks of several databases. The first one decides a write and has it first; then the others get it. One that cannot
 * be reached is left behind: reading it is refused by its generation until the write is sent again.
 *
 * @returns a registry whose writing throws XpeftError `shards_out_of_step` too, with the generation that was written
 */
export function createShardedTaskRegistry(shards: Shards): TaskRegistry {
  const first = createTaskRegistry(shards.at(FIRST_SHARD));
  if (shards.count === 1) return first;
  const others = shardNumbers(shards).filter((number) => number !== FIRST_SHARD);
  const atFirst = <T>(work: (registry: TaskRegistry) => Promise<T>) => onShard(shards, FIRST_SHARD, () => work(first));

  /** Refuses before anything is written what profiles of the others stand against. */
  async function requireFree(name: string, expected: Precondition, free: SQL): Promise<void> {
    const asked = others.map((number) =>
      onShard(shards, number, (db) =>
        withDatabaseErrors(() => db.select({ free: sql<number>`${free}`.as("free") }).from(sql`(SELECT 1)`)),
      ),
    );
    if ((await Promise.all(asked)).every(([row]) => row?.free)) return;
    throw rejectionError(name, expected, (await generationAt(shards, FIRST_SHARD, name)) || undefined);
  }

  /** Brings the others what was written; all are tried, also where one fails. @param generation the task's; 0 if it is gone */
  async function spread(name: string, generation: number, write: (db: Database) => Promise<void>, done: number) {
    const tried = await Promise.allSettled(
      others.map(async (number) => {
        await onShard(shards, number, write);
        return await generationAt(shards, number, name);
      }),
    );
    for (const [place, outcome] of tried.entries()) {
      const number = others[place] ?? FIRST_SHARD;
      if (outcome.status === "rejected") {
        throw outOfStepError(shards, name, generation, number, { cause: outcome.reason });
      }
      const reached = outcome.value >= done || (generation === 0 && outcome.value === 0);
      // A copy that did not take it may have met a later write, which is then the one to be everywhere.
      if (!reached && (await generationAt(shards, FIRST_SHARD, name)) === generation) {
        throw outOfStepError(shards, name, generation, number);
      }
    }
  }

  return {
    list: (query, only) => atFirst((registry) => registry.list(query, only)),
    get: (name) => atFirst((registry) => registry.get(name)),

    async put(task, expected, fate) {
      if (fate === "keep") await requireFree(task.name, expected, profilesMayStay(task.name, taskRow(task)));
      const written = await atFirst((registry) => registry.put(task, expected, fate));
      const { generation } = written;
      await spread(task.name, generation, (db) => copy(db, task, generation, fate), generation);
      return written;
    },

    async delete(name, expected, fate) {
      if (fate === "keep") await requireFree(name, expected, hasNoProfiles(name));
      const removeBefore = (deletion: number) => spread(name, 0, (db) => remove(db, name, deletion, fate), deletion);
      try {
        const deletion = await atFirst((registry) => registry.delete(name, expected, fate));
        await removeBefore(deletion);
        return deletion;
      } catch (error) {
        // A deletion that was broken off is sent again: copies that it left are to go then.
        if (error instanceof XpeftError && error.code === "unknown_task") {
          const deletion = await onShard(shards, FIRST_SHARD, (db) => deletionAt(db, name));
          if (deletion > 0) await removeBefore(deletion);
        }
        throw error;
      }
    },
  };
}
