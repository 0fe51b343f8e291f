import { type ReadFile, readVerified } from "../bundle/files.ts";
import { type BundleFile, withRole } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";
import type { AdapterPool, PoolShape } from "../pool.ts";

/**
 * Reads a trained pool: int8 matrices, each with a scale (docs/formats.md, "Trained pool").
 *
 * Takes `2 · L · N · (d·b + 4)` bytes of memory, 11 MB in the sizes of the default bundle.
 *
 * @throws XpeftError `bundle_file_missing` or `bundle_file_corrupt`, and `bundle_unusable` if the files are not of the
 * pool's size or hold scales that are no positive numbers
 */
export async function readTrainedPool(
  shape: PoolShape,
  files: readonly BundleFile[],
  read: ReadFile,
): Promise<AdapterPool> {
  const { layers, hidden, bottleneck } = shape;
  const { size, chosen } = shape.pool;
  const matrices = 2 * layers * size;
  const entries = hidden * bottleneck;
  const bytes = await join(withRole(files, "pool"), matrices * (4 + entries), read);
  const view = new DataView(bytes.buffer);
  const scales = Float32Array.from({ length: matrices }, (_, matrix) => view.getFloat32(4 * matrix, true));
  if (!scales.every((scale) => Number.isFinite(scale) && scale > 0)) {
    throw unusable("The pool's files hold scales that are no positive numbers.");
  }
  const steps = new Int8Array(bytes.buffer, 4 * matrices);

  return {
    layers,
    hidden,
    bottleneck,
    pool: { size, chosen },
    mergeMatrix(row, adapters, target) {
      target.fill(0);
      for (const adapter of adapters) {
        const matrix = row * size + adapter;
        const share = (scales[matrix] ?? Number.NaN) / adapters.length;
        const start = matrix * entries;
        for (let entry = 0; entry < entries; entry++) {
          target[entry] = (target[entry] ?? Number.NaN) + share * (steps[start + entry] ?? Number.NaN);
        }
      }
    },
  };
}

/** One file after the other; each is let go as soon as it is copied. */
async function join(parts: readonly BundleFile[], length: number, read: ReadFile): Promise<Uint8Array<ArrayBuffer>> {
  const found = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  if (found !== length) throw unusable(`The pool's files have ${found} bytes where its sizes make ${length}.`);
  const joined = new Uint8Array(length);
  let start = 0;
  for (const part of parts) {
    joined.set(await readVerified(read, part), start);
    start += part.bytes;
  }
  return joined;
}

function unusable(message: string): XpeftError {
  const hint = "Build the bundle again with the training companion of this version.";
  return new XpeftError("bundle_unusable", message, hint);
}
