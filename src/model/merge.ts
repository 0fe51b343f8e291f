import type { AdapterSizes } from "../profiles/adapter-sizes.ts";
import { maskShapeOf, unpackMasks } from "../profiles/masks.ts";
import type { TaskAdapter } from "../profiles/task-adapter.ts";
import type { AdapterPool, PoolShape } from "./pool/pool.ts";

/**
 * The adapters that a text is read under. In each layer they are the sum of the task's adapter and the mean of the
 * adapters that the profile's masks choose from the pool. Layers before the pool's first have the task's adapter only,
 * and so have all layers of a profile without masks.
 */
export interface MergedAdapters {
  /** `[L, d, b]` flat */
  readonly down: Float32Array;
  /** `[L, b, d]` flat */
  readonly up: Float32Array;
}

/** Returns the bytes that merged adapters take in memory. */
export function mergedBytes({ layers, hidden, bottleneck }: AdapterSizes): number {
  return 2 * layers * hidden * bottleneck * Float32Array.BYTES_PER_ELEMENT;
}

/** Returns arrays for merged adapters. */
export function allocateAdapters({ layers, hidden, bottleneck }: AdapterSizes): MergedAdapters {
  const entries = layers * hidden * bottleneck;
  return { down: new Float32Array(entries), up: new Float32Array(entries) };
}

/**
 * Returns one matrix of merged adapters.
 *
 * @param row `2 · layer`, and one more for up projections; counted from the first layer that the adapters have
 * @returns a view, `[d·b]`
 */
export function matrixOf(
  { down, up }: MergedAdapters,
  row: number,
  { hidden, bottleneck }: AdapterSizes,
): Float32Array {
  const entries = hidden * bottleneck;
  return (row % 2 === 0 ? down : up).subarray((row >> 1) * entries, ((row >> 1) + 1) * entries);
}

/**
 * Merges a pool under a profile's masks (X-PEFT, section 3), and adds the task's adapter.
 *
 * @param pool the task's own if it has one, otherwise the bundle's
 * @param masks a mask blob, as docs/formats.md describes it; empty if the profile has no masks
 * @param taskAdapter of all profiles of the task; null if it has none
 * @param firstLayer the first layer whose adapters are merged; 0 for all layers
 * @param merged of the layers from `firstLayer` on; is overwritten, unless the masks are rejected
 * @returns `merged`
 * @throws XpeftError `invalid_mask` if the blob does not fit the pool
 */
export function mergeAdapters(
  pool: AdapterPool,
  masks: Uint8Array,
  taskAdapter: TaskAdapter | null,
  firstLayer = 0,
  merged: MergedAdapters = allocateAdapters({ ...pool, layers: pool.layers - firstLayer }),
): MergedAdapters {
  mergeLayers(pool, unpackMasks(masks, maskShapeOf(pool)), taskAdapter, firstLayer, merged);
  return merged;
}

/**
 * Merges the last layers: writes their matrices to `merged`.
 *
 * @param chosen adapters that the masks of these layers choose, `[rows, k]` flat; layers without a pool have no rows.
 * Empty if there are no masks
 * @param taskAdapter null if the task has none
 * @param firstLayer the first of these layers
 * @param merged of the layers from `firstLayer` on; is overwritten
 */
export function mergeLayers(
  pool: AdapterPool,
  chosen: Uint16Array,
  taskAdapter: TaskAdapter | null,
  firstLayer: number,
  merged: MergedAdapters,
): void {
  const first = firstMaskedLayer(pool, firstLayer);
  for (let row = 2 * firstLayer; row < 2 * pool.layers; row++) {
    const matrix = matrixOf(merged, row - 2 * firstLayer, pool);
    const start = (row - 2 * first) * pool.pool.chosen;
    if (start < 0 || chosen.length === 0) matrix.fill(0);
    else pool.mergeMatrix(row - 2 * pool.pool.firstLayer, chosen.subarray(start, start + pool.pool.chosen), matrix);
    if (taskAdapter) addMatrix(taskAdapter, row, matrix);
  }
}

/** Returns the first layer, from `firstLayer` on, that has masks. */
export function firstMaskedLayer({ pool }: PoolShape, firstLayer: number): number {
  return Math.max(firstLayer, pool.firstLayer);
}

/** Adds a matrix of a task adapter, in the arithmetic of float32. */
function addMatrix({ scales, steps }: TaskAdapter, row: number, matrix: Float32Array): void {
  const scale = scales[row] ?? Number.NaN;
  const first = row * matrix.length;
  for (let entry = 0; entry < matrix.length; entry++) {
    matrix[entry] = (matrix[entry] ?? Number.NaN) + Math.fround((steps[first + entry] ?? Number.NaN) * scale);
  }
}
