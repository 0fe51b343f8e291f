import { LRUCache } from "lru-cache";
import { toBase64 } from "../lib/base64.ts";
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
   * @returns arrays that are valid until the next call. The least recently used entry's arrays are reused: otherwise an
   * isolate fills with dropped entries before garbage collection
   * @throws XpeftError `invalid_mask` if the blob does not fit the pool
   */
  adaptersFor(masks: Uint8Array, taskAdapter: IdentifiedAdapter | null): MergedAdapters;
  /** Returns the size of the cache. */
  size(): { profiles: number; bytes: number; maxBytes: number };
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
  let reusable: MergedAdapters | undefined;
  const cache = new LRUCache<string, MergedAdapters>({
    max: Math.max(1, Math.floor(maxBytes / bytes)),
    dispose: (merged) => {
      reusable = merged;
    },
  });
  return {
    adaptersFor(masks, taskAdapter) {
      const key = `${toBase64(masks)} ${taskAdapter?.id ?? ""}`;
      const cached = cache.get(key);
      if (cached) return cached;
      const merged = mergeAdapters(taskAdapter?.pool ?? pool, masks, taskAdapter, firstLayer, reusable);
      reusable = undefined;
      cache.set(key, merged);
      return merged;
    },
    size: () => ({ profiles: cache.size, bytes: cache.size * bytes, maxBytes }),
  };
}
