import { type ReadFile, readVerified } from "../../bundle/files.ts";
import { type BundleFile, withRole } from "../../bundle/manifest.ts";
import { XpeftError } from "../../errors.ts";
import { createPoolMemory } from "./kernels.ts";
import type { AdapterPool, PoolShape } from "./pool.ts";

/**
 * Reads a trained pool: int8 matrices, each with a scale (docs/formats.md, "Trained pool").
 *
 * Takes `2 · L · N · (d·b + 4)` bytes of memory, 11 MB in the sizes of the default bundle.
 *
 * @param kernels kernels.wasm, compiled
 * @throws XpeftError `bundle_file_missing` or `bundle_file_corrupt`, and `bundle_unusable` if the files are not of the
 * pool's size or hold scales that are no positive numbers
 */
export async function readTrainedPool(
  shape: PoolShape,
  files: readonly BundleFile[],
  read: ReadFile,
  kernels: WebAssembly.Module,
): Promise<AdapterPool> {
  const { layers, hidden, bottleneck } = shape;
  const { size, chosen } = shape.pool;
  const matrices = 2 * layers * size;
  const entries = hidden * bottleneck;
  const parts = withRole(files, "pool");
  const wanted = matrices * (4 + entries);
  const found = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  if (found !== wanted) throw unusable(`The pool's files have ${found} bytes where its sizes make ${wanted}.`);

  const scales = new Float32Array(matrices);
  const memory = createPoolMemory(kernels, { matrices, bytesPerMatrix: entries, entries });
  await spread(parts, read, [new Uint8Array(scales.buffer), memory.matrices]);
  if (!scales.every((scale) => Number.isFinite(scale) && scale > 0)) {
    throw unusable("The pool's files have scales that are not positive numbers.");
  }

  return {
    layers,
    hidden,
    bottleneck,
    pool: { size, chosen },
    bytes: memory.bytes,
    mergeMatrix(row, adapters, target) {
      const first = row * size;
      memory.meanOfSteps(first, adapters, scales.subarray(first, first + size), target);
    },
    projectMatrix(row, gradient, target) {
      for (let adapter = 0; adapter < size; adapter++) {
        const matrix = row * size + adapter;
        const steps = new Int8Array(memory.matrices.buffer, matrix * entries, entries);
        let sum = 0;
        for (let entry = 0; entry < entries; entry++) sum += (steps[entry] ?? 0) * (gradient[entry] ?? Number.NaN);
        target[adapter] = sum * (scales[matrix] ?? Number.NaN);
      }
    },
  };
}

/** Writes one file after the other into places that have room for just all of them; a file is let go once it is copied. */
async function spread(parts: readonly BundleFile[], read: ReadFile, places: readonly Uint8Array[]): Promise<void> {
  const left = [...places];
  for (const part of parts) {
    let bytes: Uint8Array = await readVerified(read, part);
    while (bytes.length > 0) {
      const [place = new Uint8Array()] = left;
      const now = bytes.subarray(0, place.length);
      place.set(now);
      bytes = bytes.subarray(now.length);
      if (now.length === place.length) left.shift();
      else left[0] = place.subarray(now.length);
    }
  }
}

function unusable(message: string): XpeftError {
  return new XpeftError("bundle_unusable", message, { reason: "files" });
}
