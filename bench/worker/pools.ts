import type { BundleFile } from "../../src/bundle/manifest.ts";
import type { AdapterPool, PoolShape } from "../../src/model/pool/pool.ts";
import { readTrainedPool } from "../../src/model/pool/trained.ts";

const MOST_BYTES_A_FILE = 16 * 2 ** 20;

/** Bytes that look random, and are the same for the same number. */
function bytesOf(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed + 1;
  for (let word = 0; word < words.length; word++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[word] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

const hex = (bytes: ArrayBuffer) =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** A trained pool of the given sizes whose steps are drawn at random, read as one of a bundle is. */
export async function createTrainedPool(shape: PoolShape, kernels: WebAssembly.Module): Promise<AdapterPool> {
  const { layers, hidden, bottleneck, pool } = shape;
  const matrices = 2 * layers * pool.size;
  const scales = Float32Array.from({ length: matrices }, (_, matrix) => 0.001 * (1 + (matrix % 97) / 97));
  const parts = [{ path: "scales", make: () => new Uint8Array(scales.buffer) }];
  for (let left = matrices * hidden * bottleneck; left > 0; left -= MOST_BYTES_A_FILE) {
    const length = Math.min(left, MOST_BYTES_A_FILE);
    parts.push({ path: `steps.${parts.length}`, make: () => bytesOf(left, length) });
  }
  const files: BundleFile[] = [];
  for (const { path, make } of parts) {
    const data = make();
    const sha256 = hex(await crypto.subtle.digest("SHA-256", data));
    files.push({ path, role: "pool", bytes: data.length, sha256 });
  }
  return await readTrainedPool(
    shape,
    files,
    async (path) => parts.find((part) => part.path === path)?.make() ?? null,
    kernels,
  );
}
