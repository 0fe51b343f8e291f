import { LRUCache } from "lru-cache";
import type { Task } from "./engine.ts";
import type { StoredProfile } from "./rows.ts";
import type { ProfileStore, TaskAndProfile } from "./store.ts";

/** How much is kept, and for how long. */
export interface RowCacheLimits {
  /** Bytes of tasks kept, and as many again of profiles; at least 1. */
  readonly maxBytes: number;
  /** Seconds for which a row that has been written again may still be given; 0 keeps nothing. */
  readonly ttlSeconds: number;
}

/** Reads a task and one of its profiles, from memory where it can; null for what is not there. */
export type ReadRows = (task: string, profile: string) => Promise<TaskAndProfile>;

interface CachedProfile extends StoredProfile {
  readonly taskGeneration: number;
}

/** What an entry takes beside its content, about: objects, strings, the cache's own bookkeeping. */
const ENTRY_OVERHEAD = 512;

const bytesOfTask = ({ head, masks, labels }: Task): number =>
  head.byteLength + masks.byteLength + 2 * labels.join("").length + ENTRY_OVERHEAD;

const bytesOfProfile = ({ masks, labelBias, task, id }: StoredProfile): number =>
  masks.byteLength + (labelBias?.byteLength ?? 0) + 2 * (task.length + id.length) + ENTRY_OVERHEAD;

/**
 * Reads rows through a cache bounded in bytes and time.
 *
 * A task and a profile are only ever given together as they stood together in the database: masks go with the head that
 * they were trained with, also while a push replaces both. What is not in the database is not remembered, so a new
 * profile can be used at once.
 */
export function createRowCache(store: ProfileStore, { maxBytes, ttlSeconds }: RowCacheLimits): ReadRows {
  if (ttlSeconds === 0) return (task, profile) => store.read(task, profile);

  // With a resolution the clock is reset by a timer, which a Worker drops when its request ends: nothing would get old.
  const bounds = { maxSize: maxBytes, ttl: ttlSeconds * 1000, ttlResolution: 0 };
  const tasks = new LRUCache<string, Task>({ ...bounds, sizeCalculation: bytesOfTask });
  const profiles = new LRUCache<string, CachedProfile>({ ...bounds, sizeCalculation: bytesOfProfile });

  return async (taskName, profileId) => {
    // Neither name can hold a slash.
    const key = `${taskName}/${profileId}`;
    const task = tasks.get(taskName);
    if (task) {
      const cached = profiles.get(key);
      if (cached?.taskGeneration === task.generation) return { task, profile: cached };

      const { profile, taskGeneration } = await store.readProfile(taskName, profileId);
      if (taskGeneration === task.generation) {
        if (profile) profiles.set(key, { ...profile, taskGeneration });
        return { task, profile };
      }
    }

    const rows = await store.read(taskName, profileId);
    if (rows.task) {
      tasks.set(taskName, rows.task);
      if (rows.profile) profiles.set(key, { ...rows.profile, taskGeneration: rows.task.generation });
    }
    return rows;
  };
}
