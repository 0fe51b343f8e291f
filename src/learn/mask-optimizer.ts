import { allocateAdapters, firstMaskedLayer, type MergedAdapters, matrixOf, mergeLayers } from "../model/merge.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import type { TaskAdapter } from "../profiles/task-adapter.ts";
import { createAdam } from "./adam.ts";
import { logitGradient, type SampledMasks, sampleMasks, topAdapters } from "./straight-through.ts";

/** The layers that masks are trained in. */
export interface LearntLayers {
  readonly pool: AdapterPool;
  /** The first layer of the learning graph. Masks are trained from there on, in the layers that have a pool. */
  readonly firstLayer: number;
  /** Is added to the pool's mean; null if the task has none. */
  readonly taskAdapter: TaskAdapter | null;
}

/** Mask logits in training, for the last layers of a pool. */
export interface MaskOptimizer {
  /**
   * Draws masks and returns what is merged under them; the next step uses the same masks.
   *
   * @param noise added to the logits, `[rows, N]` flat
   * @returns the adapters of the learning graph's layers, with the task's adapter, valid until the next draw
   */
  draw(noise: Float64Array): MergedAdapters;

  /**
   * Moves the logits against the gradient of the adapters that were drawn last.
   *
   * @param gradient of the shapes of the drawn adapters
   */
  step(gradient: MergedAdapters, rate: number): void;

  /** Returns the adapters that the masks choose now, `[rows, k]` flat. */
  chosen(): Uint16Array;
}

/**
 * Creates an optimizer of masks.
 *
 * @param logits `[rows, N]` flat: two rows for each trained layer, down and up; steps overwrite them
 * @param tau temperature of the softmax behind the masks
 */
export function createMaskOptimizer(
  { pool, firstLayer, taskAdapter }: LearntLayers,
  logits: Float64Array,
  tau: number,
): MaskOptimizer {
  const { size, chosen } = pool.pool;
  const rows = logits.length / size;
  const merged = allocateAdapters({ ...pool, layers: pool.layers - firstLayer });
  const firstMasked = firstMaskedLayer(pool, firstLayer);
  const projected = new Float64Array(rows * size);
  const adam = createAdam(logits.length);
  let drawn: SampledMasks | undefined;

  return {
    draw(noise) {
      drawn = sampleMasks(logits, { size, chosen }, noise, tau);
      mergeLayers(pool, drawn.adapters, taskAdapter, firstLayer, merged);
      return merged;
    },
    step(gradient, rate) {
      if (!drawn) throw new RangeError("no masks were drawn");
      for (let row = 0; row < rows; row++) {
        const target = projected.subarray(row * size, (row + 1) * size);
        const matrix = matrixOf(gradient, row + 2 * (firstMasked - firstLayer), pool);
        pool.projectMatrix(row + 2 * (firstMasked - pool.pool.firstLayer), matrix, target);
      }
      adam.step(logits, logitGradient(drawn.weights, projected, size, tau), rate);
    },
    chosen: () => topAdapters(logits, { size, chosen }),
  };
}
