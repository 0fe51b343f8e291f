import { LRUCache } from "lru-cache";
import type { StoredProfile } from "../profiles/profile.ts";
import type { Task } from "../profiles/task.ts";
import type { ProfileStore, TaskAndProfiles } from "../storage/profile-store.ts";

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

/** Where rows are read that are not given from memory. */
export interface RowStores {
  /** Reads what is at hand, which may lag behind. */
  readonly nearest: ProfileStore;
  /** Reads what was written last. */
  readonly primary: ProfileStore;
}

/**
 * Which rows will do: those in memory; those of the nearest store, past memory; or those of the primary one, past memory.
 */
export type Freshness = "kept" | "nearest" | "primary";

/** Rows kept in memory, bounded in bytes and time. */
export interface RowCache {
  /**
   * Reads a task and profiles of it, from memory where it may.
   *
   * A task and profiles are only ever given together as they stood together in the database: masks go with the head that
   * they were trained with, also while a push replaces both. What is not in the database is not remembered, so a new
   * profile can be used at once. What cannot be given from memory takes one query; two if the task was just replaced, or if
   * what was read is behind what was given before, or may be, as where a replica lags.
   */
  read(stores: RowStores, task: string, ids: readonly string[], freshness: Freshness): Promise<Rows>;

  /** What is kept now. */
  size(): { tasks: number; profiles: number; bytes: number };
}

interface CachedProfile extends StoredProfile {
  readonly taskGeneration: number;
}

/** What a store answered, and when it was asked: if the answer comes late, it is not known until when it was true. */
interface Answer extends TaskAndProfiles {
  readonly start: number;
}

async function answerOf(store: ProfileStore, ...asked: Parameters<ProfileStore["read"]>): Promise<Answer> {
  const start = performance.now();
  return { ...(await store.read(...asked)), start };
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

  /** The generations of what is kept: the task's, and for each id that of its masks' task and its own; 0 where it is not. */
  function generationsOf(name: string, ids: readonly string[]): number[] {
    const kept = ids.map((id) => profiles.get(keyOf(name, id)));
    const ofProfiles = kept.flatMap((profile) => [profile?.taskGeneration ?? 0, profile?.generation ?? 0]);
    return [tasks.get(name)?.generation ?? 0, ...ofProfiles];
  }

  /**
   * Whether what was read is older than what was given before. A profile that is not there was deleted, or is not there
   * yet where a replica lags behind: only the primary store can tell.
   */
  function isBehind(name: string, ids: readonly string[], { generation, profiles: read }: TaskAndProfiles): boolean {
    const kept = ids.map((id) => profiles.get(keyOf(name, id))?.taskGeneration ?? 0);
    const known = Math.max(tasks.get(name)?.generation ?? 0, ...kept);
    if (known === 0 || (generation ?? 0) !== known) return (generation ?? 0) < known;
    return ids.some((id, index) => kept[index] === known && !read.has(id));
  }

  /** Keeps a row; where the same one was asked for later, that holds longer. */
  function keep<Row extends { generation: number; taskGeneration?: number }>(
    rows: LRUCache<string, Row>,
    key: string,
    row: Row,
    start: number,
  ): void {
    const kept = rows.get(key);
    const isSame = kept?.generation === row.generation && kept.taskGeneration === row.taskGeneration;
    if (isSame && rows.getRemainingTTL(key) >= bounds.ttl - (performance.now() - start)) return;
    rows.set(key, row, { start });
  }

  /** Keeps what was read and lets go what is no longer there; of a profile that a replica has not caught up on, the newer. */
  function remember(name: string, ids: readonly string[], { task, profiles: read, start }: Answer): Rows {
    if (!task) {
      tasks.delete(name);
      for (const id of ids) profiles.delete(keyOf(name, id));
    }
    if (!task || ttlSeconds === 0) return { task, profiles: task ? read : new Map() };
    keep(tasks, name, task, start);
    return { task, profiles: rememberProfiles(task, ids, { profiles: read, start }) };
  }

  function rememberProfiles(
    task: Task,
    ids: readonly string[],
    { profiles: read, start }: Pick<Answer, "profiles" | "start">,
  ): Map<string, StoredProfile> {
    const newest = new Map<string, StoredProfile>();
    for (const id of ids) {
      const key = keyOf(task.name, id);
      const profile = read.get(id);
      const kept = profiles.get(key);
      if (!profile) {
        profiles.delete(key);
      } else if (kept?.taskGeneration === task.generation && kept.generation > profile.generation) {
        newest.set(id, kept);
      } else {
        keep(profiles, key, { ...profile, taskGeneration: task.generation }, start);
        newest.set(id, profile);
      }
    }
    return newest;
  }

  /** Reads all anew; from the primary store if the nearest is behind what was given before. */
  async function readAll(stores: RowStores, name: string, ids: readonly string[], from: ProfileStore): Promise<Rows> {
    const before = generationsOf(name, ids);
    const read = await answerOf(from, name, ids, null);
    // The primary has the last word, but for what others have read of it meanwhile.
    const hasGrown = generationsOf(name, ids).some((generation, index) => generation > (before[index] ?? 0));
    const isLast = from === stores.primary && !hasGrown;
    if (!isLast && isBehind(name, ids, read)) return await readAll(stores, name, ids, stores.primary);
    return remember(name, ids, read);
  }

  return {
    async read(stores, name, ids, freshness) {
      const task = freshness !== "kept" || ttlSeconds === 0 ? undefined : tasks.get(name);
      if (!task) return await readAll(stores, name, ids, freshness === "primary" ? stores.primary : stores.nearest);

      const kept = keptProfiles(task, ids);
      const missing = ids.filter((id) => !kept.has(id));
      if (missing.length === 0) return { task, profiles: kept };
      const read = await answerOf(stores.nearest, name, missing, task.generation);
      if (isBehind(name, missing, read)) return await readAll(stores, name, ids, stores.primary);
      if (read.generation === task.generation) {
        return { task, profiles: new Map([...kept, ...rememberProfiles(task, missing, read)]) };
      }
      if (missing.length === ids.length) return remember(name, ids, read);
      return await readAll(stores, name, ids, stores.nearest);
    },
    size: () => ({
      tasks: tasks.size,
      profiles: profiles.size,
      bytes: tasks.calculatedSize + profiles.calculatedSize,
    }),
  };
}
