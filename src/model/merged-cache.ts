import { LRUCache } from "lru-cache";
import { toBase64 } from "../lib/base64.ts";
import { allocateAdapters, type MergedAdapters, mergeAdapters, mergedBytes } from "./merge.ts";
import type { AdapterPool } from "./pool/pool.ts";

/** Adapters that were merged lately. */
export interface MergedCache {
  /**
   * The pool merged under masks, which are the key: what is kept cannot be stale.
   *
   * @returns what holds until the next call: the least used are written over, as an isolate would else fill with what
   * nobody uses any more before it is collected
   * @throws XpeftError `invalid_mask` if the blob does not fit the pool
   */
  of(masks: Uint8Array): MergedAdapters;
  /** What is kept now. */
  kept(): { profiles: number; bytes: number; maxBytes: number };
}

/** @param maxBytes most bytes to keep; of one profile's adapters at least */
export function createMergedCache(pool: AdapterPool, maxBytes: number): MergedCache {
  const bytes = mergedBytes(pool);
  let spare: MergedAdapters | undefined;
  const cache = new LRUCache<string, MergedAdapters>({
    max: Math.max(1, Math.floor(maxBytes / bytes)),
    dispose: (merged) => {
      spare = merged;
    },
  });
  return {
    of(masks) {
      const key = toBase64(masks);
      const kept = cache.get(key);
      if (kept) return kept;
      const merged = mergeAdapters(pool, masks, spare ?? allocateAdapters(pool));
      spare = undefined;
      cache.set(key, merged);
      return merged;
    },
    kept: () => ({ profiles: cache.size, bytes: cache.size * bytes, maxBytes }),
  };
}
