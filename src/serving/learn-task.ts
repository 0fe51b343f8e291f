import type { LearnTaskHooks, LearnTaskRequest, LearntTask } from "../learn/learn-task.ts";
import { generationAt } from "../sharding/generations.ts";
import { FIRST_SHARD, type Shards } from "../sharding/shards.ts";
import { createShardedTaskRegistry, requireNoProfiles } from "../sharding/tasks.ts";
import { generationMismatchError, meetsPrecondition, type Precondition } from "../storage/precondition.ts";
import type { ExistingProfiles } from "../storage/tasks.ts";
import type { Engine } from "./engine.ts";

/** A task to learn and write. */
export interface LearnTaskRowRequest extends LearnTaskRequest {
  /** Whether to learn without writing. */
  readonly dryRun: boolean;
  /** What the caller expects of the task's row. */
  readonly expected: Precondition;
  /** What happens to the profiles of a task that is replaced. */
  readonly existing: ExistingProfiles;
}

/** A task that was learnt, and its row. */
export interface LearntTaskRow extends LearntTask {
  /** The generation that was written; null if nothing was. */
  readonly generation: number | null;
  readonly created: boolean;
}

/**
 * Learns a task and writes it, unless somebody else wrote its row meanwhile.
 *
 * @throws XpeftError as {@link Engine.learnTask} does; `generation_mismatch` if the row is not as the caller expects, or
 * was written meanwhile; `task_has_profiles` if it has profiles that are kept; the database's errors
 */
export async function learnTaskRow(
  { engine, shards }: { engine: Engine; shards: Shards },
  request: LearnTaskRowRequest,
  hooks: LearnTaskHooks,
): Promise<LearntTaskRow> {
  const tasks = createShardedTaskRegistry(shards);
  const generation = await generationAt(shards, FIRST_SHARD, request.name);
  if (!meetsPrecondition(request.expected, generation))
    throw generationMismatchError(`Task "${request.name}"`, request.expected, generation);
  // Before the learning, which takes long; the write checks it again.
  if (request.existing === "keep") await requireNoProfiles(shards, request.name);
  const learnt = await engine.learnTask(request, hooks);
  hooks.signal.throwIfAborted();
  if (request.dryRun) return { ...learnt, generation: null, created: false };
  return { ...learnt, ...(await tasks.put(learnt.task, generation, request.existing)) };
}
