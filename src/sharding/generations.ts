import { eq } from "drizzle-orm";
import { tasks } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import { unknownTaskError } from "../profiles/not-found.ts";
import { withDatabaseErrors } from "../storage/database.ts";
import { databaseName, FIRST_SHARD, onShard, type Shards } from "./shards.ts";

/**
 * Milliseconds to wait before a task is looked at again that is not the same everywhere: a write of it is seen so for as
 * long as it takes from the first database to the others.
 */
const WAITS_MS = [25, 75, 200];

/** The generation of a task in one of the databases; 0 where it is not there. */
export async function generationAt(shards: Shards, number: number, task: string): Promise<number> {
  const [row] = await onShard(shards, number, (db) =>
    withDatabaseErrors(() => db.select({ generation: tasks.generation }).from(tasks).where(eq(tasks.name, task))),
  );
  return row?.generation ?? 0;
}

/**
 * The error of a task whose last write did not reach every database.
 *
 * @param generation the first database's, 0 where it has no such task
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
 * Does something again, a little later each time, for as long as it finds the databases out of step.
 *
 * @param attempt gives what it found, or the error to throw if it is the last attempt
 */
export async function retryWhileOutOfStep<T>(attempt: () => Promise<T | XpeftError>): Promise<T> {
  for (const wait of WAITS_MS) {
    const found = await attempt();
    if (!(found instanceof XpeftError)) return found;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  const found = await attempt();
  if (found instanceof XpeftError) throw found;
  return found;
}

/**
 * Makes sure that databases have a task as the first one has it. Where the first one alone matters, there is nothing to ask.
 *
 * @param numbers of the databases that matter
 * @throws XpeftError `unknown_task` if the first one has no such task, `shards_out_of_step`, or `database_unavailable`
 */
export async function requireSameGeneration(shards: Shards, task: string, numbers: readonly number[]): Promise<void> {
  const others = numbers.filter((number) => number !== FIRST_SHARD);
  if (others.length === 0) return;
  await retryWhileOutOfStep(async () => {
    const [first = 0, ...copies] = await Promise.all(
      [FIRST_SHARD, ...others].map((number) => generationAt(shards, number, task)),
    );
    if (first === 0) throw unknownTaskError(task);
    const behind = others.find((_, place) => copies[place] !== first);
    return behind === undefined ? undefined : outOfStepError(shards, task, first, behind);
  });
}
