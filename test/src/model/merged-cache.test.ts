import { describe, expect, it } from "vitest";
import { mergeAdapters, mergedBytes } from "../../../src/model/merge.ts";
import { createMergedCache } from "../../../src/model/merged-cache.ts";
import { createSignPool } from "../../../src/model/pool/sign.ts";
import { createTaskPool } from "../../../src/model/pool/task.ts";
import { maskShapeOf, packMasks } from "../../../src/profiles/masks.ts";
import { compileKernels } from "../../support/default-bundle.ts";

const shape = { layers: 2, hidden: 16, bottleneck: 4, pool: { firstLayer: 0, size: 20, chosen: 5, scale: 1, seed: 7 } };
const pool = await createSignPool(shape, await compileKernels());
const sizes = maskShapeOf(shape);

/** Returns masks that choose five neighbours, starting at `first`. */
const masksOf = (first: number) =>
  packMasks(
    Array.from({ length: 4 * 5 }, (_, place) => (first + (place % 5)) % 20),
    sizes,
  );

describe("the cache of merged adapters", () => {
  it("caches as many as fit, and returns the same object on a hit", () => {
    const cache = createMergedCache(pool, 2.5 * mergedBytes(pool));
    const first = cache.adaptersFor(masksOf(0), null);
    cache.adaptersFor(masksOf(1), null);
    expect(cache.adaptersFor(masksOf(0), null)).toBe(first);
    expect(cache.size()).toEqual({
      profiles: 2,
      bytes: 2 * mergedBytes(pool),
      maxBytes: 2.5 * mergedBytes(pool),
      hits: 1,
      misses: 2,
    });
  });

  it("overwrites the least recently used, and merges each as if there were no cache", () => {
    const cache = createMergedCache(pool, 2 * mergedBytes(pool));
    const seen = new Set<object>();
    for (let call = 0; call < 60; call++) {
      const masks = masksOf((call * 7) % 20);
      const merged = cache.adaptersFor(masks, null);
      expect(merged).toEqual(mergeAdapters(pool, masks, null));
      seen.add(merged);
    }
    // Two cached ones, and the one merged beside them.
    expect(seen.size).toBeLessThanOrEqual(3);
  });

  it("keeps apart the same masks under other adapters of tasks", () => {
    const cache = createMergedCache(pool, 3 * mergedBytes(pool));
    const adapter = (id: string, scale: number) => ({
      id,
      pool: null,
      scales: new Float32Array(4).fill(scale),
      steps: new Int8Array(4 * 16 * 4).fill(1),
    });
    const [one, two] = [adapter("one", 0.5), adapter("two", 2)];
    const plain = cache.adaptersFor(masksOf(0), null);
    const withOne = cache.adaptersFor(masksOf(0), one);
    expect(cache.adaptersFor(masksOf(0), two)).toEqual(mergeAdapters(pool, masksOf(0), two));
    expect(withOne).toEqual(mergeAdapters(pool, masksOf(0), one));
    expect(withOne).not.toEqual(plain);
    expect(cache.adaptersFor(masksOf(0), { ...one })).toBe(withOne);
    expect(cache.adaptersFor(masksOf(0), null)).toBe(plain);
  });

  it("merges a task's own pool in place of the bundle's", () => {
    const cache = createMergedCache(pool, 3 * mergedBytes(pool));
    const own = createTaskPool(shape, {
      size: 3,
      chosen: 2,
      scales: new Float32Array(12).fill(0.5),
      steps: Int8Array.from({ length: 12 * 16 * 4 }, (_, place) => place % 100),
    });
    const adapter = { id: "own", scales: new Float32Array(4), steps: new Int8Array(4 * 16 * 4), pool: own };
    const masks = packMasks([0, 1, 1, 2, 0, 2, 0, 1], maskShapeOf(own));
    expect(cache.adaptersFor(masks, adapter)).toEqual(mergeAdapters(own, masks, adapter));
    expect(() => cache.adaptersFor(masksOf(0), adapter)).toThrow("this task needs 4");
    expect(() => cache.adaptersFor(masks, null)).toThrow("this task needs 12");
  });

  it("is unchanged after masks that it rejects", () => {
    const cache = createMergedCache(pool, mergedBytes(pool));
    const merged = mergeAdapters(pool, masksOf(3), null);
    cache.adaptersFor(masksOf(3), null);
    expect(() => cache.adaptersFor(new Uint8Array(3), null)).toThrow("mask");
    expect(cache.adaptersFor(masksOf(3), null)).toEqual(merged);
  });
});
