import { eq } from "drizzle-orm";
import { tasks } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import { pause } from "../lib/pause.ts";
import { unknownTaskError } from "../profiles/not-found.ts";
import { withDatabaseErrors } from "../storage/database.ts";
import { databaseName, FIRST_SHARD, onShard, type Shards } from "./shards.ts";

/**
 * Milliseconds before the next attempt, while a task differs between databases. A write of the task takes this long
 * from the first database to the others.
 */
const WAITS_MS = [25, 75, 200];

/** Returns the generation of a task in a database; 0 if it does not exist there. */
export async function generationAt(shards: Shards, number: number, task: string): Promise<number> {
  const [row] = await onShard(shards, number, (db) =>
    withDatabaseErrors(() => db.select({ generation: tasks.generation }).from(tasks).where(eq(tasks.name, task))),
  );
  return row?.generation ?? 0;
}

/**
 * Returns the error for a task whose last write did not reach every database.
 *
 * @param generation the task's in the first database; 0 if it does not exist there
 * @param number of the database that was not reached
 */
export function outOfStepError(
  shards: Shards,
  task: string,
  generation: number,
  number: number,
  options: { cause?: unknown } = {},
): XpeftError {
  const state = generation === 0 ? "was deleted" : `is at generation ${generation}`;
  const database = databaseName(shards, number).toLowerCase();
  const message = `Task "${task}" ${state}, and that has not reached ${database}.`;
  return new XpeftError("shards_out_of_step", message, { ...options, facts: { generation } });
}

/**
 * Retries while the databases are out of step, with growing pauses.
 *
 * @param attempt returns its result, or the error that is thrown after the last attempt
 */
export async function retryWhileOutOfStep<T>(attempt: () => Promise<T | XpeftError>): Promise<T> {
  for (const wait of WAITS_MS) {
    const result = await attempt();
    if (!(result instanceof XpeftError)) return result;
    await pause(wait);
  }
  const result = await attempt();
  if (result instanceof XpeftError) throw result;
  return result;
}

/**
 * Checks that databases have the same generation of a task as the first one. The first one alone needs no query.
 *
 * @param numbers of the databases to check
 * @throws XpeftError `unknown_task` if the first one does not have the task, `shards_out_of_step`, or
 * `database_unavailable`
 */
export async function requireSameGeneration(shards: Shards, task: string, numbers: readonly number[]): Promise<void> {
  const others = numbers.filter((number) => number !== FIRST_SHARD);
  if (others.length === 0) return;
  await retryWhileOutOfStep(async () => {
    const [first = 0, ...copies] = await Promise.all(
      [FIRST_SHARD, ...others].map((number) => generationAt(shards, number, task)),
    );
    if (first === 0) throw unknownTaskError(task);
    const behind = others.find((_, index) => copies[index] !== first);
    return behind === undefined ? undefined : outOfStepError(shards, task, first, behind);
  });
}
