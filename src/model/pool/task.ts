import type { PooledSizes } from "../../profiles/adapter-sizes.ts";
import type { TaskPool } from "../../profiles/task-pool.ts";
import type { AdapterPool } from "./pool.ts";
import { projectSteps } from "./trained.ts";

/**
 * Returns a task's own pool (docs/formats.md, "Task adapter"). It needs no memory beside the task's row.
 *
 * A row limits all matrices to 2 MB, so a merge without the kernels of WASM takes milliseconds. A WASM memory for each
 * cached task would be freed only at the next garbage collection.
 */
export function createTaskPool(sizes: PooledSizes, { size, chosen, scales, steps }: TaskPool): AdapterPool {
  const { layers, hidden, bottleneck } = sizes;
  const entries = hidden * bottleneck;
  return {
    layers,
    hidden,
    bottleneck,
    pool: { firstLayer: sizes.pool.firstLayer, size, chosen },
    bytes: 0,
    mergeMatrix(row, adapters, target) {
      for (let entry = 0; entry < entries; entry++) {
        let sum = 0;
        for (let position = 0; position < chosen; position++) {
          const matrix = row * size + (adapters[position] ?? Number.NaN);
          sum += (scales[matrix] ?? Number.NaN) * (steps[matrix * entries + entry] ?? Number.NaN);
        }
        target[entry] = sum / chosen;
      }
    },
    projectMatrix(row, gradient, target) {
      const first = row * size;
      const stepsOfRow = steps.subarray(first * entries, (first + size) * entries);
      projectSteps(scales.subarray(first, first + size), stepsOfRow, gradient, target);
    },
  };
}
