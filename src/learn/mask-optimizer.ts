import type { MergedAdapters } from "../model/merge.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import { createAdam } from "./adam.ts";
import { logitGradient, type SampledMasks, sampleMasks, topAdapters } from "./straight-through.ts";

/** Mask logits on their way, for the last layers of a pool. */
export interface MaskOptimizer {
  /** The logits now, `[rows, N]` flat; rows are down and up of each learnt layer in turn. */
  readonly logits: Float64Array;

  /**
   * Draws masks and merges the pool under them; the next step goes by these.
   *
   * @param noise added to the logits, `[rows, N]` flat; null draws the masks that would be stored
   * @returns the learnt layers' adapters, which hold until the next draw
   */
  draw(noise: Float64Array | null): MergedAdapters;

  /**
   * Moves the logits against the gradient of the adapters that were drawn last.
   *
   * @param gradient of the shapes of what `draw` gave
   */
  step(gradient: MergedAdapters, rate: number): void;

  /** Adapters that the masks choose now, `[rows, k]` flat. */
  chosen(): Uint16Array;
}

/**
 * Starts to learn masks.
 *
 * @param firstLayer the masks of layers before it stay as they are, and are no concern of the learner's
 * @param start logits, `[rows, N]` flat; are written over
 * @param tau temperature of the softmax behind the masks
 */
export function createMaskOptimizer(
  pool: AdapterPool,
  firstLayer: number,
  start: Float64Array,
  tau: number,
): MaskOptimizer {
  const { size, chosen } = pool.pool;
  const entries = pool.hidden * pool.bottleneck;
  const rows = 2 * (pool.layers - firstLayer);
  const merged = { down: new Float32Array((rows / 2) * entries), up: new Float32Array((rows / 2) * entries) };
  const projected = new Float64Array(rows * size);
  const adam = createAdam(start.length);
  let drawn: SampledMasks | undefined;

  /** Part of one side's matrices that belongs to a row. */
  const matrixOf = ({ down, up }: MergedAdapters, row: number) =>
    (row % 2 === 0 ? down : up).subarray((row >> 1) * entries, ((row >> 1) + 1) * entries);

  return {
    logits: start,
    draw(noise) {
      drawn = sampleMasks(start, { size, chosen }, noise, tau);
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
      adam.step(start, logitGradient(drawn.shares, projected, size, tau), rate);
    },
    chosen: () => topAdapters(start, { size, chosen }),
  };
}
