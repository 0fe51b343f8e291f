import { LRUCache } from "lru-cache";
import type { Lookups } from "../lib/lookups.ts";
import type { StoredProfile } from "../profiles/profile.ts";
import type { ProfileStore, TaskAndProfiles } from "../profiles/profile-store.ts";
import type { Task } from "../profiles/task.ts";

/** How much is cached, and for how long. */
export interface RowCacheLimits {
  /** The most bytes of tasks, and the most of profiles; at least 1. */
  readonly maxBytes: number;
  /** TTL of a row in seconds: it may be stale for that long. 0 caches nothing. */
  readonly ttlSeconds: number;
}

/** A task and those of the requested profiles that exist. */
export interface Rows {
  readonly task: Task | null;
  readonly profiles: ReadonlyMap<string, StoredProfile>;
}

/** Where rows are read that are not cached. */
export interface RowStores {
  /** Reads from a near replica, which may lag behind. */
  readonly nearest: ProfileStore;
  /** Reads the latest writes. */
  readonly primary: ProfileStore;
}

/**
 * Which rows are fresh enough: cached ones; those of the nearest store; or those of the primary store. The latter two
 * skip the cache.
 */
export type Freshness = "cached" | "nearest" | "primary";

/** A cache of rows, bounded in bytes and time. */
export interface RowCache {
  /**
   * Returns a task and profiles of it, from the cache if possible.
   *
   * A task and profiles are returned together only as they stood together in the database: masks fit the head that they
   * were trained with, even while a push replaces both. Missing rows are not cached, so a new profile can be used at
   * once. Rows that are not cached take one query; two if the task was just replaced, or if a replica may lag behind
   * rows that were returned before.
   */
  read(stores: RowStores, task: string, ids: readonly string[], freshness: Freshness): Promise<Rows>;

  /**
   * Returns the size of the cache, and how many rows it answered (hits) and how many were read from a store (misses)
   * since it was created.
   */
  size(): { tasks: number; profiles: number; bytes: number } & Lookups;
}

interface CachedProfile extends StoredProfile {
  readonly taskGeneration: number;
}

/** Rows of a store, and when the query started: a row may change while the answer travels. */
interface TimedRows extends TaskAndProfiles {
  readonly start: number;
}

async function readTimed(store: ProfileStore, ...query: Parameters<ProfileStore["read"]>): Promise<TimedRows> {
  const start = performance.now();
  return { ...(await store.read(...query)), start };
}

/** Estimated bytes of an entry beside its content: objects, strings, the cache's bookkeeping. */
const ENTRY_OVERHEAD = 512;

const bytesOfTask = ({ head, masks, adapter, labels }: Task): number =>
  head.byteLength + masks.byteLength + (adapter?.byteLength ?? 0) + 2 * labels.join("").length + ENTRY_OVERHEAD;

const bytesOfProfile = ({ masks, labelBias, task, id }: StoredProfile): number =>
  masks.byteLength + (labelBias?.byteLength ?? 0) + 2 * (task.length + id.length) + ENTRY_OVERHEAD;

/** Creates an empty cache. */
export function createRowCache({ maxBytes, ttlSeconds }: RowCacheLimits): RowCache {
  // With a resolution, a timer resets the clock, and a Worker drops timers when their request ends: no entry would
  // expire.
  const bounds = { maxSize: maxBytes, ttl: ttlSeconds * 1000, ttlResolution: 0 };
  const tasks = new LRUCache<string, Task>({ ...bounds, sizeCalculation: bytesOfTask });
  const profiles = new LRUCache<string, CachedProfile>({ ...bounds, sizeCalculation: bytesOfProfile });
  const lookups = { hits: 0, misses: 0 };

  // Neither name can hold a slash.
  const keyOf = (task: string, id: string) => `${task}/${id}`;

  /** Returns the cached profiles of the task's generation. */
  function cachedProfiles(task: Task, ids: readonly string[]): Map<string, StoredProfile> {
    const cached = new Map<string, StoredProfile>();
    for (const id of ids) {
      const profile = profiles.get(keyOf(task.name, id));
      if (profile?.taskGeneration === task.generation) cached.set(id, profile);
    }
    return cached;
  }

  /**
   * Returns cached generations: the task's, then for each id its masks' task's and its own; 0 for what is not cached.
   */
  function generationsOf(name: string, ids: readonly string[]): number[] {
    const cached = ids.map((id) => profiles.get(keyOf(name, id)));
    const ofProfiles = cached.flatMap((profile) => [profile?.taskGeneration ?? 0, profile?.generation ?? 0]);
    return [tasks.get(name)?.generation ?? 0, ...ofProfiles];
  }

  /**
   * Returns whether rows may be older than rows that were returned before. A missing profile was deleted, or a replica
   * lags behind: only the primary store can tell.
   */
  function isBehind(name: string, ids: readonly string[], { generation, profiles: read }: TaskAndProfiles): boolean {
    const cached = ids.map((id) => profiles.get(keyOf(name, id))?.taskGeneration ?? 0);
    const known = Math.max(tasks.get(name)?.generation ?? 0, ...cached);
    if (known === 0 || (generation ?? 0) !== known) return (generation ?? 0) < known;
    return ids.some((id, index) => cached[index] === known && !read.has(id));
  }

  /** Caches a row, unless the cache has the same row from a later query. */
  function store<Row extends { generation: number; taskGeneration?: number }>(
    rows: LRUCache<string, Row>,
    key: string,
    row: Row,
    start: number,
  ): void {
    const cached = rows.get(key);
    const isSame = cached?.generation === row.generation && cached.taskGeneration === row.taskGeneration;
    if (isSame && rows.getRemainingTTL(key) >= bounds.ttl - (performance.now() - start)) return;
    rows.set(key, row, { start });
  }

  /** Caches rows that were read and drops deleted ones; a newer cached profile wins over a lagging replica's. */
  function update(name: string, ids: readonly string[], { task, profiles: read, start }: TimedRows): Rows {
    if (!task) {
      tasks.delete(name);
      for (const id of ids) profiles.delete(keyOf(name, id));
    }
    if (!task || ttlSeconds === 0) return { task, profiles: task ? read : new Map() };
    store(tasks, name, task, start);
    return { task, profiles: updateProfiles(task, ids, { profiles: read, start }) };
  }

  function updateProfiles(
    task: Task,
    ids: readonly string[],
    { profiles: read, start }: Pick<TimedRows, "profiles" | "start">,
  ): Map<string, StoredProfile> {
    const newest = new Map<string, StoredProfile>();
    for (const id of ids) {
      const key = keyOf(task.name, id);
      const profile = read.get(id);
      const cached = profiles.get(key);
      if (!profile) {
        profiles.delete(key);
      } else if (cached?.taskGeneration === task.generation && cached.generation > profile.generation) {
        newest.set(id, cached);
      } else {
        store(profiles, key, { ...profile, taskGeneration: task.generation }, start);
        newest.set(id, profile);
      }
    }
    return newest;
  }

  /** Reads all rows again; from the primary store if the nearest one lags behind rows that were returned before. */
  async function readAll(stores: RowStores, name: string, ids: readonly string[], from: ProfileStore): Promise<Rows> {
    const before = generationsOf(name, ids);
    const read = await readTimed(from, name, ids, null);
    // The primary's rows are the latest, unless other requests have read later ones meanwhile.
    const hasGrown = generationsOf(name, ids).some((generation, index) => generation > (before[index] ?? 0));
    const isLast = from === stores.primary && !hasGrown;
    if (!isLast && isBehind(name, ids, read)) return await readAll(stores, name, ids, stores.primary);
    return update(name, ids, read);
  }

  return {
    async read(stores, name, ids, freshness) {
      const task = freshness !== "cached" || ttlSeconds === 0 ? undefined : tasks.get(name);
      if (!task) {
        lookups.misses += 1 + ids.length;
        return await readAll(stores, name, ids, freshness === "primary" ? stores.primary : stores.nearest);
      }
      const cached = cachedProfiles(task, ids);
      const missing = ids.filter((id) => !cached.has(id));
      lookups.hits += 1 + cached.size;
      lookups.misses += missing.length;
      if (missing.length === 0) return { task, profiles: cached };
      const read = await readTimed(stores.nearest, name, missing, task.generation);
      if (isBehind(name, missing, read)) return await readAll(stores, name, ids, stores.primary);
      if (read.generation === task.generation) {
        return { task, profiles: new Map([...cached, ...updateProfiles(task, missing, read)]) };
      }
      if (missing.length === ids.length) return update(name, ids, read);
      return await readAll(stores, name, ids, stores.nearest);
    },
    size: () => ({
      tasks: tasks.size,
      profiles: profiles.size,
      bytes: tasks.calculatedSize + profiles.calculatedSize,
      ...lookups,
    }),
  };
}
