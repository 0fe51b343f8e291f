import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { BundleFile } from "../../src/bundle/manifest.ts";
import { sha256Hex } from "../../src/lib/sha256.ts";
import type { AdapterPool, PoolShape } from "../../src/model/pool/pool.ts";
import { readTrainedPool } from "../../src/model/pool/trained.ts";

const MAX_FILE_BYTES = 16 * 2 ** 20;

/** Returns random bytes, the same for the same seed. */
function randomBytes(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const generator = xoroshiro128plus(seed);
  const words = Int32Array.from({ length: Math.ceil(length / 4) }, () => generator.next());
  return new Uint8Array(words.buffer, 0, length);
}

/** Returns a trained pool with random int8 steps, read the way a bundle's pool is. */
export async function createTrainedPool(shape: PoolShape, kernels: WebAssembly.Module): Promise<AdapterPool> {
  const { layers, hidden, bottleneck, pool } = shape;
  const matrices = 2 * layers * pool.size;
  const scales = Float32Array.from({ length: matrices }, (_, matrix) => 0.001 * (1 + (matrix % 97) / 97));
  // Made twice, for the hash and for reading: all files at once would not fit into an isolate.
  const makers = new Map([["scales", () => new Uint8Array(scales.buffer)]]);
  for (let remaining = matrices * hidden * bottleneck; remaining > 0; remaining -= MAX_FILE_BYTES) {
    const [seed, length] = [remaining, Math.min(remaining, MAX_FILE_BYTES)];
    makers.set(`steps.${makers.size}`, () => randomBytes(seed, length));
  }
  const files: BundleFile[] = [];
  for (const [path, make] of makers) {
    const data = make();
    files.push({ path, role: "pool", bytes: data.length, sha256: await sha256Hex(data) });
  }
  return await readTrainedPool(shape, files, async (path) => makers.get(path)?.() ?? null, kernels);
}
