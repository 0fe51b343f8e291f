import type { Example } from "../learn/examples.ts";
import type { LearnResult } from "../learn/learn.ts";
import type { LearnHooks } from "../learn/progress.ts";
import { createRandom } from "../learn/random.ts";
import type { Start } from "../learn/reader.ts";
import { RECIPE } from "../learn/recipe.ts";
import { describeProfile } from "../profiles/names.ts";
import { unknownProfileError, unknownTaskError } from "../profiles/not-found.ts";
import type { ProfileParts, StoredProfile } from "../profiles/profile.ts";
import type { Task } from "../profiles/task.ts";
import { createShardedProfileRegistry } from "../sharding/profiles.ts";
import type { Shards } from "../sharding/shards.ts";
import { createShardedProfileStore } from "../sharding/store.ts";
import { generationMismatchError, meetsPrecondition, type Precondition } from "../storage/precondition.ts";
import type { ProfileRegistry } from "../storage/profiles.ts";
import type { Engine } from "./engine.ts";

/**
 * What a profile may start from: the task's default masks, its own of now, another profile's; or (auto) the default, unless one of
 * some other profiles' explains the examples clearly better. Its own are not among these: they may have been learnt from the very examples,
 * and would look better than they are.
 */
export type StartChoice = "auto" | "default" | "own" | { readonly profile: string };

/** A profile that is to be learnt and written. */
export interface LearnProfileRequest {
  readonly task: string;
  readonly profile: string;
  readonly examples: readonly Example[];
  readonly start: StartChoice;
  /** What ids of other profiles must begin with to be a start; empty for all. */
  readonly reach: string;
  readonly passes?: number | undefined;
  readonly seed?: number | undefined;
  /** Whether nothing is written. */
  readonly dryRun: boolean;
  /** What the caller believes of the profile's row. */
  readonly expected: Precondition;
}

/** What became of it. */
export interface LearntProfile extends LearnResult {
  /** The generation that it was written as; null where nothing was written. */
  readonly generation: number | null;
  readonly created: boolean;
}

/**
 * Learns a profile and writes it, unless its row or its task was written by someone else meanwhile.
 *
 * @throws XpeftError as {@link Engine.learn} does; `unknown_task` or `unknown_profile`; `generation_mismatch` if the row is not what
 * the caller believed, or not what it was at the start; `write_conflict` if the task was written meanwhile; what a database can throw
 */
export async function learnProfile(
  { engine, shards }: { engine: Engine; shards: Shards },
  lessons: LearnProfileRequest,
  hooks: LearnHooks,
): Promise<LearntProfile> {
  const name = { task: lessons.task, id: lessons.profile };
  const asked = typeof lessons.start === "object" ? lessons.start.profile : lessons.profile;
  const ids = [...new Set([lessons.profile, asked])];
  const { task, profiles } = await createShardedProfileStore(shards, null).read(lessons.task, ids, null);
  if (!task) throw unknownTaskError(lessons.task);
  const current = profiles.get(lessons.profile);
  const generation = current?.generation ?? 0;
  if (!meetsPrecondition(lessons.expected, generation))
    throw generationMismatchError(describeProfile(name), lessons.expected, generation);

  const registry = createShardedProfileRegistry(shards);
  const starts = await startsFor(lessons, task, profiles, () => neighbours(registry, lessons));
  const learnt = await engine.learn(task, { ...lessons, starts }, hooks);
  hooks.signal.throwIfAborted();
  if (lessons.dryRun) return { ...learnt, generation: null, created: false };
  const written = await registry.put(name, learnt.parts, task.generation, generation);
  return { ...learnt, ...written };
}

/** Profiles whose ids come next, and those from the beginning behind the last: ids often say what belongs together. */
async function neighbours(
  registry: ProfileRegistry,
  { task, profile, reach }: LearnProfileRequest,
): Promise<StoredProfile[]> {
  const limit = RECIPE.startsDrawnFrom;
  const behind = await registry.list(task, { limit, after: profile }, reach);
  if (behind.items.length === limit) return [...behind.items];
  const first = await registry.list(task, { limit: limit - behind.items.length, after: "" }, reach);
  return [...behind.items, ...first.items.filter(({ id }) => id < profile)];
}

async function startsFor(
  { start, profile, seed = 0 }: LearnProfileRequest,
  task: Task,
  profiles: ReadonlyMap<string, StoredProfile>,
  others: () => Promise<readonly StoredProfile[]>,
): Promise<[Start, ...Start[]]> {
  const standard: Start = { profile: null, parts: { masks: task.masks, labelBias: null } };
  // Of a stored row its parts alone: they may be what the learning comes to.
  const startFrom = (id: string, { masks, labelBias }: ProfileParts): Start => ({
    profile: id,
    parts: { masks, labelBias },
  });
  if (start === "default") return [standard];
  if (start !== "auto") {
    const id = start === "own" ? profile : start.profile;
    const parts = profiles.get(id);
    if (!parts) throw unknownProfileError(task.name, id, "start");
    return [startFrom(id, parts)];
  }
  const drawn = createRandom(seed)
    .shuffled(await others())
    .slice(0, RECIPE.starts);
  return [standard, ...drawn.map((one) => startFrom(one.id, one))];
}
