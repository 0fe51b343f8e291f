import { type ReadFile, readVerified } from "../../bundle/files.ts";
import { type BundleFile, withRole } from "../../bundle/manifest.ts";
import { XpeftError } from "../../errors.ts";
import { createPoolMemory } from "./kernels.ts";
import { type AdapterPool, countMatrices, type PoolShape } from "./pool.ts";

/**
 * Reads a trained pool: int8 matrices with one scale each (docs/formats.md, "Trained pool").
 *
 * Takes `2 · K · N · (d·b + 4)` bytes of memory, 3 MB in the sizes of the default bundle.
 *
 * @param kernels kernels.wasm, compiled
 * @throws XpeftError `bundle_file_missing` or `bundle_file_corrupt`, and `bundle_unusable` if the files have another
 * size than the pool or a scale is not a positive number
 */
export async function readTrainedPool(
  shape: PoolShape,
  files: readonly BundleFile[],
  read: ReadFile,
  kernels: WebAssembly.Module,
): Promise<AdapterPool> {
  const { layers, hidden, bottleneck } = shape;
  const { firstLayer, size, chosen } = shape.pool;
  const matrices = countMatrices(shape);
  const entries = hidden * bottleneck;
  const parts = withRole(files, "pool");
  const expected = matrices * (4 + entries);
  const actual = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  if (actual !== expected) throw unusable(`The pool's files have ${actual} bytes; its sizes need ${expected}.`);

  const scales = new Float32Array(matrices);
  const memory = await createPoolMemory(kernels, { matrices, bytesPerMatrix: entries, entries });
  await readInto([new Uint8Array(scales.buffer), memory.matrices], parts, read);
  if (!scales.every((scale) => Number.isFinite(scale) && scale > 0)) {
    throw unusable("The pool's files have scales that are not positive numbers.");
  }

  return {
    layers,
    hidden,
    bottleneck,
    pool: { firstLayer, size, chosen },
    bytes: memory.bytes,
    mergeMatrix(row, adapters, target) {
      const first = row * size;
      memory.meanOfSteps(first, adapters, scales.subarray(first, first + size), target);
    },
    projectMatrix(row, gradient, target) {
      const first = row * size;
      const steps = new Int8Array(memory.matrices.buffer, first * entries, size * entries);
      projectSteps(scales.subarray(first, first + size), steps, gradient, target);
    },
  };
}

/**
 * Writes the products of int8 matrices, each times its scale, with one float matrix to `target`.
 *
 * @param scales one for each matrix
 * @param steps one matrix after the other
 */
export function projectSteps(
  scales: Float32Array,
  steps: Int8Array,
  gradient: Float32Array,
  target: Float64Array,
): void {
  for (const [adapter, scale] of scales.entries()) {
    const first = adapter * gradient.length;
    let sum = 0;
    for (let entry = 0; entry < gradient.length; entry++) {
      sum += (steps[first + entry] ?? Number.NaN) * (gradient[entry] ?? Number.NaN);
    }
    target[adapter] = sum * scale;
  }
}

/** Fills arrays with the bytes of files, one after the other; both have the same size in all. */
async function readInto(targets: readonly Uint8Array[], parts: readonly BundleFile[], read: ReadFile): Promise<void> {
  const remaining = [...targets];
  for (const part of parts) {
    let bytes: Uint8Array = await readVerified(read, part);
    while (bytes.length > 0) {
      const [target = new Uint8Array()] = remaining;
      const copied = bytes.subarray(0, target.length);
      target.set(copied);
      bytes = bytes.subarray(copied.length);
      if (copied.length === target.length) remaining.shift();
      else remaining[0] = target.subarray(copied.length);
    }
  }
}

function unusable(message: string): XpeftError {
  return new XpeftError("bundle_unusable", message, { reason: "files" });
}
