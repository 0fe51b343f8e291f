import { LRUCache } from "lru-cache";
import { toBase64 } from "../lib/base64.ts";
import type { Lookups } from "../lib/lookups.ts";
import type { IdentifiedAdapter } from "./adapter-reader.ts";
import { type MergedAdapters, mergeAdapters, mergedBytes } from "./merge.ts";
import type { AdapterPool } from "./pool/pool.ts";

/** A cache of merged adapters. */
export interface MergedCache {
  /**
   * Returns a pool merged under masks, with a task's adapter: the task's own pool, or the bundle's if it has none. Masks
   * and adapter are the key, so no entry can be stale.
   *
   * @param taskAdapter null if the task has none
   * @param isAgain whether the same prediction has asked before: the lookup is then not counted
   * @returns arrays that are valid until the next call. The least recently used entry's arrays are reused: otherwise an
   * isolate fills with dropped entries before garbage collection
   * @throws XpeftError `invalid_mask` if the blob does not fit the pool
   */
  adaptersFor(masks: Uint8Array, taskAdapter: IdentifiedAdapter | null, isAgain?: boolean): MergedAdapters;
  /** Returns the size of the cache and its lookups. */
  size(): { profiles: number; bytes: number; maxBytes: number } & Lookups;
}

/**
 * Creates an empty cache.
 *
 * @param pool the bundle's
 * @param maxBytes the most bytes to cache; one profile's adapters are always cached
 * @param firstLayer the first layer whose adapters are merged; 0 for all layers
 */
export function createMergedCache(pool: AdapterPool, maxBytes: number, firstLayer = 0): MergedCache {
  const bytes = mergedBytes({ ...pool, layers: pool.layers - firstLayer });
  const lookups = { hits: 0, misses: 0 };
  let reusable: MergedAdapters | undefined;
  const cache = new LRUCache<string, MergedAdapters>({
    max: Math.max(1, Math.floor(maxBytes / bytes)),
    dispose: (merged) => {
      reusable = merged;
    },
  });
  return {
    adaptersFor(masks, taskAdapter, isAgain = false) {
      const key = `${toBase64(masks)} ${taskAdapter?.id ?? ""}`;
      const cached = cache.get(key);
      if (!isAgain) lookups[cached ? "hits" : "misses"]++;
      if (cached) return cached;
      const merged = mergeAdapters(taskAdapter?.pool ?? pool, masks, taskAdapter, firstLayer, reusable);
      reusable = undefined;
      cache.set(key, merged);
      return merged;
    },
    size: () => ({ profiles: cache.size, bytes: cache.size * bytes, maxBytes, ...lookups }),
  };
}
