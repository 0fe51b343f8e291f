import type { Example } from "../learn/examples.ts";
import type { LearnResult } from "../learn/learn.ts";
import type { LearnHooks } from "../learn/progress.ts";
import { createRandom } from "../learn/random.ts";
import type { Start } from "../learn/reader.ts";
import { RECIPE } from "../learn/recipe.ts";
import { findKnown } from "../profiles/known-labels.ts";
import { describeProfile } from "../profiles/names.ts";
import { unknownProfileError, unknownTaskError } from "../profiles/not-found.ts";
import type { ProfileParts, StoredProfile } from "../profiles/profile.ts";
import { headShapeOf, knownOf } from "../profiles/profile-head.ts";
import { profileTaskOf } from "../profiles/profile-task.ts";
import type { Task } from "../profiles/task.ts";
import { createShardedProfileRegistry } from "../sharding/profiles.ts";
import type { Shards } from "../sharding/shards.ts";
import { createShardedProfileStore } from "../sharding/store.ts";
import { generationMismatchError, meetsPrecondition, type Precondition } from "../storage/precondition.ts";
import type { ProfileRegistry } from "../storage/profiles.ts";
import type { Engine } from "./engine.ts";

/**
 * Where learning starts: the task's default masks, the profile's current ones, or another profile's. With "auto" it is
 * the default, unless another profile's masks explain the examples clearly better. The profile's current masks are not
 * tried: they may have been learnt from the same examples, and would look better than they are.
 */
export type StartChoice = "auto" | "default" | "own" | { readonly profile: string };

/** A profile to learn and write. */
export interface LearnProfileRequest {
  readonly task: string;
  readonly profile: string;
  readonly examples: readonly Example[];
  readonly start: StartChoice;
  /**
   * The labels that the profile will know. By default, those that its row knows; for a new profile, those that the
   * profile knows that it is told to start from; otherwise all.
   */
  readonly knownLabels?: readonly string[] | undefined;
  /** The caller's prefix: only profiles whose ids begin with it are tried as starts; empty for all. */
  readonly prefix: string;
  readonly passes?: number | undefined;
  readonly seed?: number | undefined;
  /** Whether to learn without writing. */
  readonly dryRun: boolean;
  /** Whether to replace an existing profile even if nothing was gained. */
  readonly force: boolean;
  /** What the caller expects of the profile's row. */
  readonly expected: Precondition;
}

/** A profile that was learnt, and its row. */
export interface LearntProfile extends LearnResult {
  /** The generation that was written; null if nothing was. */
  readonly generation: number | null;
  readonly created: boolean;
  /**
   * Why nothing was written; null if the profile was. "no-gain" comes first: without the dry run, nothing would be
   * written either.
   */
  readonly notWritten: "dry-run" | "no-gain" | null;
  /** Hash of the head that it was learnt with. */
  readonly headHash: string;
}

/**
 * Learns a profile and writes it, unless somebody else wrote its row or its task meanwhile. With the start "auto", a
 * profile that exists is replaced only if something was gained: its masks were not among the starts, so the new ones
 * may be worse.
 *
 * @throws XpeftError as {@link Engine.learn} does; `invalid_label_bias` if the profile's row is damaged; `unknown_task` or `unknown_profile`; `generation_mismatch` if the
 * row is not as the caller expects, or was written meanwhile; `write_conflict` if the task was written meanwhile; the
 * database's errors
 */
export async function learnProfile(
  { engine, shards }: { engine: Engine; shards: Shards },
  request: LearnProfileRequest,
  hooks: LearnHooks,
): Promise<LearntProfile> {
  const name = { task: request.task, id: request.profile };
  const startId = typeof request.start === "object" ? request.start.profile : request.profile;
  const ids = [...new Set([request.profile, startId])];
  const { task, profiles } = await createShardedProfileStore(shards, null).read(request.task, ids, null);
  if (!task) throw unknownTaskError(request.task);
  const current = profiles.get(request.profile);
  const generation = current?.generation ?? 0;
  if (!meetsPrecondition(request.expected, generation))
    throw generationMismatchError(describeProfile(name), request.expected, generation);

  const known = knownFor(request, task, current ?? profiles.get(startId));
  const registry = createShardedProfileRegistry(shards);
  const starts = await startsFor(request, task, profiles, () => neighbours(registry, request));
  const { headHash } = await profileTaskOf(task);
  const learnt = { ...(await engine.learn(task, { ...request, known, starts }, hooks)), headHash };
  hooks.signal.throwIfAborted();
  const noGain = request.start === "auto" && !request.force && current !== undefined && !learnt.leftOut.gained;
  const notWritten = noGain ? "no-gain" : request.dryRun ? "dry-run" : null;
  if (notWritten) return { ...learnt, generation: null, created: false, notWritten };
  const written = await registry.put(name, learnt.parts, task.generation, generation);
  return { ...learnt, ...written, notWritten };
}

/** Returns the indices of the labels that a profile will know; null for all. @param kept whose known labels are kept */
function knownFor(
  { knownLabels }: LearnProfileRequest,
  task: Task,
  kept: ProfileParts | undefined,
): readonly number[] | null {
  if (knownLabels) return findKnown(knownLabels, task.labels);
  return knownOf(kept?.labelBias ?? null, headShapeOf(task));
}

/** Returns the profiles whose ids come next, continuing at the first id: similar ids often mean similar profiles. */
async function neighbours(
  registry: ProfileRegistry,
  { task, profile, prefix }: LearnProfileRequest,
): Promise<StoredProfile[]> {
  const limit = RECIPE.triedStarts;
  const next = await registry.list(task, { limit, after: profile }, prefix);
  if (next.items.length === limit) return next.items;
  const first = await registry.list(task, { limit: limit - next.items.length, after: "" }, prefix);
  return [...next.items, ...first.items.filter(({ id }) => id < profile)];
}

async function startsFor(
  { start, profile, seed = 0 }: LearnProfileRequest,
  task: Task,
  profiles: ReadonlyMap<string, StoredProfile>,
  listNeighbours: () => Promise<readonly StoredProfile[]>,
): Promise<[Start, ...Start[]]> {
  const taskDefault: Start = { profile: null, parts: { masks: task.masks, labelBias: null } };
  // Only the parts of a stored row: they may be the result of the learning.
  const startFrom = (id: string, { masks, labelBias }: ProfileParts): Start => ({
    profile: id,
    parts: { masks, labelBias },
  });
  if (start === "default") return [taskDefault];
  if (start !== "auto") {
    const id = start === "own" ? profile : start.profile;
    const parts = profiles.get(id);
    if (!parts) throw unknownProfileError(task.name, id, "start");
    return [startFrom(id, parts)];
  }
  // In random order: where each start reads the whole encoder anew, only the first few are tried.
  const tried = createRandom(seed).shuffled(await listNeighbours());
  return [taskDefault, ...tried.map((stored) => startFrom(stored.id, stored))];
}
