import type { ProfileName } from "../profiles/names.ts";
import type { StoredProfile } from "../profiles/profile.ts";
import type { Database } from "../storage/database.ts";
import { createProfileHistory, type ProfileHistory } from "../storage/history.ts";
import { type ListPage, profilesOfPage } from "../storage/page.ts";
import { createProfileRegistry, type ProfileRegistry } from "../storage/profiles.ts";
import { requireSameGeneration } from "./generations.ts";
import { onShard, type Shards, shardNumbers, shardOf } from "./shards.ts";

/** Runs work on a profile's database, after checking that it has the first database's generation of the task. */
async function onProfileShard<T>(shards: Shards, name: ProfileName, work: (db: Database) => Promise<T>): Promise<T> {
  const number = shardOf(name, shards.count);
  await requireSameGeneration(shards, name.task, [number]);
  return await onShard(shards, number, work);
}

/**
 * Merges pages of several databases, each sorted by id.
 *
 * @param limit the most items; fewer if a page ends early, because its database has more items before those of the
 * others
 */
export function mergePages(pages: readonly ListPage<StoredProfile>[], limit: number): ListPage<StoredProfile> {
  const all = pages.flatMap(({ items }) => items).sort((a, b) => (a.id < b.id ? -1 : 1));
  const ends = pages.flatMap(({ next }) => (next === null ? [] : [next])).sort();
  const [end] = ends;
  const complete = end === undefined ? all : all.filter(({ id }) => id <= end);
  const profileBytes = Math.max(0, ...all.map(({ masks, labelBias }) => masks.length + (labelBias?.length ?? 0)));
  const items = complete.slice(0, profilesOfPage(limit, profileBytes));
  return { items, next: items.length < all.length || end !== undefined ? (items.at(-1)?.id ?? null) : null };
}

/** Creates the registry of several databases. @returns a registry that also throws XpeftError `shards_out_of_step` */
export function createShardedProfileRegistry(shards: Shards): ProfileRegistry {
  if (shards.count === 1) return createProfileRegistry(shards.at(0));
  return {
    async list(task, query, prefix) {
      const numbers = shardNumbers(shards);
      await requireSameGeneration(shards, task, numbers);
      const pages = await Promise.all(
        numbers.map((number) => onShard(shards, number, (db) => createProfileRegistry(db).list(task, query, prefix))),
      );
      const [taskGeneration = null, ...others] = new Set(pages.map((page) => page.taskGeneration));
      return {
        ...mergePages(pages, query.limit),
        taskGeneration: others.length === 0 ? taskGeneration : null,
      };
    },
    get: (name) => onProfileShard(shards, name, (db) => createProfileRegistry(db).get(name)),
    put: (name, parts, taskGeneration, expected) =>
      onProfileShard(shards, name, (db) => createProfileRegistry(db).put(name, parts, taskGeneration, expected)),
    delete: (name, expected) => onProfileShard(shards, name, (db) => createProfileRegistry(db).delete(name, expected)),
  };
}

/** Creates the history of several databases. @returns a history that also throws XpeftError `shards_out_of_step` */
export function createShardedHistory(shards: Shards): ProfileHistory {
  return {
    read: (name) => onProfileShard(shards, name, (db) => createProfileHistory(db).read(name)),
    rollBack: (name, to, expected) =>
      onProfileShard(shards, name, (db) => createProfileHistory(db).rollBack(name, to, expected)),
  };
}
