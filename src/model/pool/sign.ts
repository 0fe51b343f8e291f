import { sha256 } from "../../lib/sha256.ts";
import { createPoolMemory } from "./kernels.ts";
import { type AdapterPool, countMatrices, type PoolShape } from "./pool.ts";

/** Sizes, seed and scale of a sign pool. */
export interface SignPoolSpec extends PoolShape {
  readonly pool: PoolShape["pool"] & { readonly seed: number; readonly scale: number };
}

/** A pool as sign bits: 1 is `+scale`, 0 is `-scale`. */
export interface SignPool extends AdapterPool, SignPoolSpec {
  readonly pool: SignPoolSpec["pool"];
  /** `[K, 2, N, ceil(d·b / 8)]` flat, the second axis down, up, as docs/formats.md describes it. */
  readonly signs: Uint8Array<ArrayBuffer>;
}

/**
 * Computes the sign pool of a bundle: the AES-128-CTR keystream under a key derived from the seed.
 *
 * Takes `2 · K · N · ceil(d·b / 8)` bytes of memory, 0.4 MB for the default bundle.
 *
 * @param kernels kernels.wasm, compiled
 */
export async function createSignPool(spec: SignPoolSpec, kernels: WebAssembly.Module): Promise<SignPool> {
  const { hidden, bottleneck, pool } = spec;
  const { size, chosen, scale, seed } = pool;
  const entries = hidden * bottleneck;
  const layout = { matrices: countMatrices(spec), bytesPerMatrix: Math.ceil(entries / 8), entries };
  const memory = await createPoolMemory(kernels, layout);
  memory.matrices.set(await signKeystream(seed, memory.matrices.length));
  // Allocated by the first learning and reused: a new array for each row of each step would be most of its garbage.
  let sums: Float64Array | undefined;
  return {
    ...spec,
    bytes: memory.bytes,
    signs: memory.matrices,
    mergeMatrix: (row, adapters, target) => memory.sumSigns(row * size, adapters, scale / chosen, target),
    projectMatrix(row, gradient, target) {
      const stride = layout.bytesPerMatrix;
      sums ??= new Float64Array(2 * stride * COMBINATIONS);
      projectSigns(memory.matrices.subarray(row * size * stride, (row + 1) * size * stride), gradient, sums, target);
      for (let adapter = 0; adapter < size; adapter++) target[adapter] = scale * (target[adapter] ?? Number.NaN);
    },
  };
}

/** Combinations of the signs of four entries. */
const COMBINATIONS = 16;

/**
 * Writes the products of sign matrices with one float matrix to `target`. The sum of each four entries is computed once
 * for each of the 16 combinations of their signs, so that a matrix takes a quarter of the additions.
 *
 * @param signs one matrix after the other, as many as the length of `target`
 * @param sums is overwritten: {@link COMBINATIONS} numbers for each four entries
 */
function projectSigns(signs: Uint8Array, gradient: Float32Array, sums: Float64Array, target: Float64Array): void {
  const stride = signs.length / target.length;
  let total = 0;
  for (let four = 0; four < 2 * stride; four++) {
    for (let position = 0; position < 4; position++) {
      // There are bits past the last entry, but nothing to multiply.
      const entry = gradient[4 * four + position] ?? 0;
      total += entry;
      const bit = 1 << position;
      const first = COMBINATIONS * four;
      for (let signs = 0; signs < bit; signs++) sums[first + bit + signs] = (sums[first + signs] ?? 0) + entry;
    }
  }
  for (let adapter = 0; adapter < target.length; adapter++) {
    let ones = 0;
    for (let index = 0; index < stride; index++) {
      const byte = signs[adapter * stride + index] ?? 0;
      const first = 2 * COMBINATIONS * index;
      ones += (sums[first + (byte & 15)] ?? 0) + (sums[first + COMBINATIONS + (byte >> 4)] ?? 0);
    }
    target[adapter] = 2 * ones - total;
  }
}

async function signKeystream(seed: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const name = new TextEncoder().encode(`xpeft-sign-pool/1:${seed}`);
  const key = await crypto.subtle.importKey("raw", (await sha256(name)).slice(0, 16), "AES-CTR", false, ["encrypt"]);
  const algorithm = { name: "AES-CTR", counter: new Uint8Array(16), length: 128 };
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, key, new Uint8Array(length)));
}
