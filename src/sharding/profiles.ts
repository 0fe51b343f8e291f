import type { ProfileName } from "../profiles/names.ts";
import type { StoredProfile } from "../profiles/profile.ts";
import type { Database } from "../storage/database.ts";
import { createProfileHistory, type ProfileHistory } from "../storage/history.ts";
import type { ListPage } from "../storage/page.ts";
import { createProfileRegistry, PAGE_BYTES, type ProfileRegistry } from "../storage/profiles.ts";
import { requireSameGeneration } from "./generations.ts";
import { onShard, type Shards, shardNumbers, shardOf } from "./shards.ts";

/** Does work where a profile is, once that database has its task as the first one has it. */
async function where<T>(shards: Shards, name: ProfileName, work: (db: Database) => Promise<T>): Promise<T> {
  const number = shardOf(name, shards.count);
  await requireSameGeneration(shards, name.task, [number]);
  return await onShard(shards, number, work);
}

/**
 * Puts pages of several databases, each by id, into one.
 *
 * @param limit how many at most; fewer where one of the pages ends, as its database has more before the others' next
 */
export function mergePages(pages: readonly ListPage<StoredProfile>[], limit: number): ListPage<StoredProfile> {
  const all = pages.flatMap(({ items }) => items).sort((a, b) => (a.id < b.id ? -1 : 1));
  const ends = pages.flatMap(({ next }) => (next === null ? [] : [next])).sort();
  const [end] = ends;
  const sure = end === undefined ? all : all.filter(({ id }) => id <= end);
  const most = Math.min(limit, Math.max(1, Math.floor(PAGE_BYTES / (all[0]?.masks.length ?? 1))));
  const items = sure.slice(0, most);
  return { items, next: items.length < all.length || end !== undefined ? (items.at(-1)?.id ?? null) : null };
}

/** The profiles of several databases. @returns a registry that throws XpeftError `shards_out_of_step` too */
export function createShardedProfileRegistry(shards: Shards): ProfileRegistry {
  if (shards.count === 1) return createProfileRegistry(shards.at(0));
  return {
    async list(task, query, prefix) {
      const numbers = shardNumbers(shards);
      await requireSameGeneration(shards, task, numbers);
      const pages = numbers.map((number) =>
        onShard(shards, number, (db) => createProfileRegistry(db).list(task, query, prefix)),
      );
      return mergePages(await Promise.all(pages), query.limit);
    },
    get: (name) => where(shards, name, (db) => createProfileRegistry(db).get(name)),
    put: (name, parts, taskGeneration, expected) =>
      where(shards, name, (db) => createProfileRegistry(db).put(name, parts, taskGeneration, expected)),
    delete: (name, expected) => where(shards, name, (db) => createProfileRegistry(db).delete(name, expected)),
  };
}

/** The history over several databases. @returns a history that throws XpeftError `shards_out_of_step` too */
export function createShardedHistory(shards: Shards): ProfileHistory {
  return {
    read: (name) => where(shards, name, (db) => createProfileHistory(db).read(name)),
    rollBack: (name, to, expected) =>
      where(shards, name, (db) => createProfileHistory(db).rollBack(name, to, expected)),
  };
}
