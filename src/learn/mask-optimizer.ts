import { allocateAdapters, type MergedAdapters } from "../model/merge.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import { createAdam } from "./adam.ts";
import { logitGradient, type SampledMasks, sampleMasks, topAdapters } from "./straight-through.ts";

/** Mask logits in training, for the last layers of a pool. */
export interface MaskOptimizer {
  /**
   * Draws masks and returns the pool merged under them; the next step uses the same masks.
   *
   * @param noise added to the logits, `[rows, N]` flat
   * @returns the learnt layers' adapters, valid until the next draw
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
 * @param firstLayer the first learnt layer; earlier layers have no rows here
 * @param logits `[rows, N]` flat, where rows alternate down and up, layer by layer; steps overwrite them
 * @param tau temperature of the softmax behind the masks
 */
export function createMaskOptimizer(
  pool: AdapterPool,
  firstLayer: number,
  logits: Float64Array,
  tau: number,
): MaskOptimizer {
  const { size, chosen } = pool.pool;
  const entries = pool.hidden * pool.bottleneck;
  const rows = 2 * (pool.layers - firstLayer);
  const merged = allocateAdapters({ ...pool, layers: rows / 2 });
  const projected = new Float64Array(rows * size);
  const adam = createAdam(logits.length);
  let drawn: SampledMasks | undefined;

  /** Returns the matrix of a row. */
  const matrixOf = ({ down, up }: MergedAdapters, row: number) =>
    (row % 2 === 0 ? down : up).subarray((row >> 1) * entries, ((row >> 1) + 1) * entries);

  return {
    draw(noise) {
      drawn = sampleMasks(logits, { size, chosen }, noise, tau);
      for (let row = 0; row < rows; row++) {
        const adapters = drawn.adapters.subarray(row * chosen, (row + 1) * chosen);
        pool.mergeMatrix(2 * firstLayer + row, adapters, matrixOf(merged, row));
      }
      return merged;
    },
    step(gradient, rate) {
      if (!drawn) throw new RangeError("no masks were drawn");
      for (let row = 0; row < rows; row++) {
        const target = projected.subarray(row * size, (row + 1) * size);
        pool.projectMatrix(2 * firstLayer + row, matrixOf(gradient, row), target);
      }
      adam.step(logits, logitGradient(drawn.weights, projected, size, tau), rate);
    },
    chosen: () => topAdapters(logits, { size, chosen }),
  };
}
