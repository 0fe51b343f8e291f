import { XpeftError } from "../errors.ts";
import { floatsFromBytes } from "../lib/floats.ts";
import type { AdapterSizes, PooledSizes } from "./adapter-sizes.ts";
import { type MaskedSizes, type MaskShape, maskShapeOf } from "./masks.ts";
import { poolFault, readPoolCounts, readTaskPool, type TaskPool } from "./task-pool.ts";

/** An adapter that all profiles of a task share: int8 matrices with one scale each, in every layer. */
export interface TaskAdapter {
  /** `[L, 2]` flat, the second axis down, up; finite and not negative. */
  readonly scales: Float32Array;
  /** `[L, 2, d·b]` flat. */
  readonly steps: Int8Array;
}

/** A task adapter as it is stored. */
interface StoredAdapter extends TaskAdapter {
  /** The task's own pool; null if its masks choose from the bundle's. */
  readonly pool: TaskPool | null;
}

/** Returns the bytes of a task adapter without its pool: `2 · L · (4 + d·b)`. */
export function adapterBytes({ layers, hidden, bottleneck }: AdapterSizes): number {
  return 2 * layers * (4 + hidden * bottleneck);
}

/** Returns what is wrong with the bytes of a task adapter, as the end of a sentence about it; null if nothing is. */
export function adapterFault(bytes: Uint8Array, sizes: PooledSizes): string | null {
  const expected = adapterBytes(sizes);
  if (bytes.length < expected) return `has ${bytes.length} bytes; this bundle needs ${expected}`;
  const scales = scalesOf(bytes, sizes);
  const wrong = scales.findIndex((scale) => !Number.isFinite(scale) || scale < 0);
  if (wrong >= 0) {
    const matrix = `${wrong % 2 === 0 ? "down" : "up"} matrix of layer ${wrong >> 1}`;
    return `has the scale ${scales[wrong]} for the ${matrix}; a scale is finite and not negative`;
  }
  return bytes.length === expected ? null : poolFault(bytes.subarray(expected), sizes);
}

/**
 * Returns a task adapter.
 *
 * @param bytes as docs/formats.md ("Task adapter") describes them; the steps stay views of them
 * @throws XpeftError `invalid_row` if the length, a scale or a size of the pool is wrong
 */
export function readTaskAdapter(bytes: Uint8Array, sizes: PooledSizes): StoredAdapter {
  const fault = adapterFault(bytes, sizes);
  if (fault !== null) throw new XpeftError("invalid_row", `The task's adapter ${fault}.`, { reason: "stored" });
  const scales = scalesOf(bytes, sizes);
  const end = adapterBytes(sizes);
  return {
    scales,
    steps: new Int8Array(bytes.buffer, bytes.byteOffset + scales.byteLength, end - scales.byteLength),
    pool: bytes.length === end ? null : readTaskPool(bytes.subarray(end), sizes),
  };
}

/**
 * Returns the shape of a task's masks: they choose from the task's pool if it has one, otherwise from the bundle's.
 *
 * @param adapter of the task, null if it has none; only its length and its pool's sizes are read
 * @throws XpeftError `invalid_row` if the task's pool cannot have its sizes
 */
export function taskMaskShape(sizes: MaskedSizes & AdapterSizes, adapter: Uint8Array | null): MaskShape {
  const shape = maskShapeOf(sizes);
  const pool = adapter?.subarray(adapterBytes(sizes));
  return pool && pool.length > 0 ? { ...shape, ...readPoolCounts(pool) } : shape;
}

const scalesOf = (bytes: Uint8Array, { layers }: AdapterSizes): Float32Array =>
  floatsFromBytes(bytes.subarray(0, 2 * layers * Float32Array.BYTES_PER_ELEMENT));
