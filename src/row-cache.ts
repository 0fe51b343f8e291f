import { LRUCache } from "lru-cache";
import type { Task } from "./engine.ts";
import type { StoredProfile } from "./rows.ts";
import type { ProfileStore } from "./store.ts";

/** How much is kept, and for how long. */
export interface RowCacheLimits {
  /** Bytes of tasks kept, and as many again of profiles; at least 1. */
  readonly maxBytes: number;
  /** Seconds for which a row that has been written again may still be given; 0 keeps nothing. */
  readonly ttlSeconds: number;
}

/** A task and those of the profiles asked for that are there. */
export interface Rows {
  readonly task: Task | null;
  readonly profiles: ReadonlyMap<string, StoredProfile>;
}

/** Rows kept in memory, bounded in bytes and time. */
export interface RowCache {
  /**
   * Reads a task and profiles of it, from memory where it can.
   *
   * A task and profiles are only ever given together as they stood together in the database: masks go with the head that
   * they were trained with, also while a push replaces both. What is not in the database is not remembered, so a new
   * profile can be used at once. What cannot be given from memory takes one query, or two if the task was just replaced.
   *
   * @param fresh whether memory is passed by; what is read is remembered all the same
   */
  read(store: ProfileStore, task: string, ids: readonly string[], fresh: boolean): Promise<Rows>;

  /** What is kept now. */
  size(): { tasks: number; profiles: number; bytes: number };
}

interface CachedProfile extends StoredProfile {
  readonly taskGeneration: number;
}

/** What an entry takes beside its content, about: objects, strings, the cache's own bookkeeping. */
const ENTRY_OVERHEAD = 512;

const bytesOfTask = ({ head, masks, labels }: Task): number =>
  head.byteLength + masks.byteLength + 2 * labels.join("").length + ENTRY_OVERHEAD;

const bytesOfProfile = ({ masks, labelBias, task, id }: StoredProfile): number =>
  masks.byteLength + (labelBias?.byteLength ?? 0) + 2 * (task.length + id.length) + ENTRY_OVERHEAD;

/** Makes an empty cache. */
export function createRowCache({ maxBytes, ttlSeconds }: RowCacheLimits): RowCache {
  // With a resolution the clock is reset by a timer, which a Worker drops when its request ends: nothing would get old.
  const bounds = { maxSize: maxBytes, ttl: ttlSeconds * 1000, ttlResolution: 0 };
  const tasks = new LRUCache<string, Task>({ ...bounds, sizeCalculation: bytesOfTask });
  const profiles = new LRUCache<string, CachedProfile>({ ...bounds, sizeCalculation: bytesOfProfile });

  // Neither name can hold a slash.
  const keyOf = (task: string, id: string) => `${task}/${id}`;

  function keptProfiles(task: Task, ids: readonly string[]): Map<string, StoredProfile> {
    const found = new Map<string, StoredProfile>();
    for (const id of ids) {
      const profile = profiles.get(keyOf(task.name, id));
      if (profile?.taskGeneration === task.generation) found.set(id, profile);
    }
    return found;
  }

  /** Keeps what was read, but never in the place of something newer: a replica may lag behind what was read before. */
  function remember(task: Task, read: ReadonlyMap<string, StoredProfile>): Rows {
    if (ttlSeconds === 0) return { task, profiles: read };
    if ((tasks.get(task.name)?.generation ?? 0) < task.generation) tasks.set(task.name, task);
    const newest = new Map<string, StoredProfile>();
    for (const [id, profile] of read) {
      const key = keyOf(task.name, id);
      const kept = profiles.get(key);
      const keepsNewer = kept?.taskGeneration === task.generation && kept.generation > profile.generation;
      if (!keepsNewer) profiles.set(key, { ...profile, taskGeneration: task.generation });
      newest.set(id, keepsNewer ? kept : profile);
    }
    return { task, profiles: newest };
  }

  return {
    async read(store, name, ids, fresh) {
      const task = fresh || ttlSeconds === 0 ? undefined : tasks.get(name);
      if (task) {
        const kept = keptProfiles(task, ids);
        const missing = ids.filter((id) => !kept.has(id));
        if (missing.length === 0) return { task, profiles: kept };
        const read = await store.read(name, missing, task.generation);
        if (read.generation === task.generation) {
          return { task, profiles: new Map([...kept, ...remember(task, read.profiles).profiles]) };
        }
        if (read.task && missing.length === ids.length) return remember(read.task, read.profiles);
      }
      const read = await store.read(name, ids, null);
      return read.task ? remember(read.task, read.profiles) : { task: null, profiles: new Map() };
    },
    size: () => ({
      tasks: tasks.size,
      profiles: profiles.size,
      bytes: tasks.calculatedSize + profiles.calculatedSize,
    }),
  };
}
