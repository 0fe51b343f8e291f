import { unpackMasks } from "./masks.ts";
import type { SignPool } from "./pool.ts";

/** A profile's adapters: for each layer the mean of the pool's adapters that its masks choose. */
export interface MergedAdapters {
  /** `[L, d, b]` flat */
  readonly down: Float32Array;
  /** `[L, b, d]` flat */
  readonly up: Float32Array;
}

/** Bytes that merged adapters of this pool take in memory. */
export function mergedBytes({ layers, hidden, bottleneck }: SignPool): number {
  return 2 * layers * hidden * bottleneck * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * Merges a pool under a profile's masks: each entry is `scale · (2c - k) / k`, c being how many of the k chosen
 * adapters have a plus there.
 *
 * @param masks a mask blob, docs/formats.md
 * @throws XpeftError `invalid_mask` if the blob does not fit the pool
 */
export function mergeAdapters(pool: SignPool, masks: Uint8Array): MergedAdapters {
  const { layers, hidden, bottleneck, wordsPerMatrix } = pool;
  const { size, chosen, scale } = pool.pool;
  const adapters = unpackMasks(masks, { layers, size, chosen });
  const values = Float32Array.from({ length: chosen + 1 }, (_, c) => (scale * (2 * c - chosen)) / chosen);
  const entries = hidden * bottleneck;
  const merged = { down: new Float32Array(layers * entries), up: new Float32Array(layers * entries) };
  for (let row = 0; row < 2 * layers; row++) {
    const rowAdapters = adapters.subarray(row * chosen, (row + 1) * chosen);
    const starts = Array.from(rowAdapters, (adapter) => (row * size + adapter) * wordsPerMatrix);
    const side = row % 2 === 0 ? merged.down : merged.up;
    const layer = row >> 1;
    mergeMatrix(pool.words, starts, values, side.subarray(layer * entries, (layer + 1) * entries));
  }
  return merged;
}

/**
 * Merges the matrices that start at the given words: an entry becomes `values[c]` where c of them have a plus.
 *
 * The 32 counters of a word's entries stand upright: bit p of each is in plane p, so that a few ands and xors of whole
 * words add what would be 32 sums.
 */
function mergeMatrix(words: Uint32Array, starts: readonly number[], values: Float32Array, target: Float32Array): void {
  const planes = new Uint32Array(32 - Math.clz32(starts.length));
  for (let entry = 0, word = 0; entry < target.length; entry += 32, word++) {
    planes.fill(0);
    let next = 0;
    for (; next + 2 < starts.length; next += 3) {
      // Three bits make a two-bit sum: one walk up the planes for each of its bits, not one for each addend.
      const a = words[(starts[next] ?? 0) + word] ?? 0;
      const b = words[(starts[next + 1] ?? 0) + word] ?? 0;
      const c = words[(starts[next + 2] ?? 0) + word] ?? 0;
      add(planes, a ^ b ^ c, 0);
      add(planes, (a & b) | ((a ^ b) & c), 1);
    }
    for (; next < starts.length; next++) add(planes, words[(starts[next] ?? 0) + word] ?? 0, 0);
    lookUp(planes, values, target.subarray(entry, entry + 32));
  }
}

/** Adds 2^place to the counters whose bit is set. */
function add(planes: Uint32Array, bits: number, place: number): void {
  for (let carry = bits; carry !== 0; place++) {
    const plane = planes[place] ?? 0;
    planes[place] = plane ^ carry;
    carry &= plane;
  }
}

function lookUp(planes: Uint32Array, values: Float32Array, target: Float32Array): void {
  for (let entry = 0; entry < target.length; entry++) {
    let count = 0;
    for (let place = planes.length - 1; place >= 0; place--)
      count = (count << 1) | (((planes[place] ?? 0) >>> entry) & 1);
    target[entry] = values[count] ?? Number.NaN;
  }
}
