import { describe, expect, it } from "vitest";
import { mergeAdapters, mergedBytes } from "../../../src/model/merge.ts";
import { createMergedCache } from "../../../src/model/merged-cache.ts";
import { createSignPool } from "../../../src/model/pool/sign.ts";
import { packMasks } from "../../../src/profiles/masks.ts";
import { compileKernels } from "../../support/default-bundle.ts";

const shape = { layers: 2, hidden: 16, bottleneck: 4, pool: { size: 20, chosen: 5, scale: 1, seed: 7 } };
const pool = await createSignPool(shape, await compileKernels());
const sizes = { layers: 2, size: 20, chosen: 5 };

/** Returns masks that choose five neighbours, starting at `first`. */
const masksOf = (first: number) =>
  packMasks(
    Array.from({ length: 4 * 5 }, (_, place) => (first + (place % 5)) % 20),
    sizes,
  );

describe("the cache of merged adapters", () => {
  it("caches as many as fit, and returns the same object on a hit", () => {
    const cache = createMergedCache(pool, 2.5 * mergedBytes(pool));
    const first = cache.adaptersFor(masksOf(0));
    cache.adaptersFor(masksOf(1));
    expect(cache.adaptersFor(masksOf(0))).toBe(first);
    expect(cache.size()).toEqual({ profiles: 2, bytes: 2 * mergedBytes(pool), maxBytes: 2.5 * mergedBytes(pool) });
  });

  it("overwrites the least recently used, and merges each as if there were no cache", () => {
    const cache = createMergedCache(pool, 2 * mergedBytes(pool));
    const seen = new Set<object>();
    for (let call = 0; call < 60; call++) {
      const masks = masksOf((call * 7) % 20);
      const merged = cache.adaptersFor(masks);
      expect(merged).toEqual(mergeAdapters(pool, masks));
      seen.add(merged);
    }
    // Two cached ones, and the one merged beside them.
    expect(seen.size).toBeLessThanOrEqual(3);
  });

  it("is unchanged after masks that it rejects", () => {
    const cache = createMergedCache(pool, mergedBytes(pool));
    const merged = mergeAdapters(pool, masksOf(3));
    cache.adaptersFor(masksOf(3));
    expect(() => cache.adaptersFor(new Uint8Array(3))).toThrow("mask");
    expect(cache.adaptersFor(masksOf(3))).toEqual(merged);
  });
});
