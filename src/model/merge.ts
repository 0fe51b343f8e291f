import { unpackMasks } from "../profiles/masks.ts";
import type { AdapterPool, PoolShape } from "./pool/pool.ts";

/** A profile's adapters: for each layer, the mean of the adapters that its masks choose from the pool. */
export interface MergedAdapters {
  /** `[L, d, b]` flat */
  readonly down: Float32Array;
  /** `[L, b, d]` flat */
  readonly up: Float32Array;
}

/** Returns the bytes that merged adapters of a pool take in memory. */
export function mergedBytes({ layers, hidden, bottleneck }: PoolShape): number {
  return 2 * layers * hidden * bottleneck * Float32Array.BYTES_PER_ELEMENT;
}

/** Returns arrays for the merged adapters of a pool. */
export function allocateAdapters({ layers, hidden, bottleneck }: PoolShape): MergedAdapters {
  const entries = layers * hidden * bottleneck;
  return { down: new Float32Array(entries), up: new Float32Array(entries) };
}

/**
 * Merges a pool under a profile's masks (X-PEFT, section 3).
 *
 * @param masks a mask blob, as docs/formats.md describes it
 * @param merged is overwritten, unless the masks are rejected
 * @returns `merged`
 * @throws XpeftError `invalid_mask` if the blob does not fit the pool
 */
export function mergeAdapters(
  pool: AdapterPool,
  masks: Uint8Array,
  merged: MergedAdapters = allocateAdapters(pool),
): MergedAdapters {
  const { layers, hidden, bottleneck } = pool;
  const { size, chosen } = pool.pool;
  const adapters = unpackMasks(masks, { layers, size, chosen });
  const entries = hidden * bottleneck;
  for (let row = 0; row < 2 * layers; row++) {
    const side = row % 2 === 0 ? merged.down : merged.up;
    const start = (row >> 1) * entries;
    pool.mergeMatrix(row, adapters.subarray(row * chosen, (row + 1) * chosen), side.subarray(start, start + entries));
  }
  return merged;
}
