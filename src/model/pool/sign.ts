import { createPoolMemory } from "./kernels.ts";
import type { AdapterPool, PoolShape } from "./pool.ts";

/** What a sign pool is computed from. */
export interface SignPoolSpec extends PoolShape {
  readonly pool: PoolShape["pool"] & { readonly seed: number; readonly scale: number };
}

/** A pool as sign bits: 1 is `+scale`, 0 is `-scale`. */
export interface SignPool extends AdapterPool, SignPoolSpec {
  readonly pool: SignPoolSpec["pool"];
  /** `[L, 2, N, ceil(d·b / 8)]` flat, the second axis down, up: the pool as docs/formats.md has it. */
  readonly signs: Uint8Array<ArrayBuffer>;
}

/**
 * Computes the sign pool of a bundle: the AES-128-CTR keystream under a key made from the seed.
 *
 * Takes `2 · L · N · ceil(d·b / 8)` bytes of memory, 1.4 MB for the default bundle.
 *
 * @param kernels kernels.wasm, compiled
 */
export async function createSignPool(spec: SignPoolSpec, kernels: WebAssembly.Module): Promise<SignPool> {
  const { layers, hidden, bottleneck, pool } = spec;
  const { size, chosen, scale, seed } = pool;
  const entries = hidden * bottleneck;
  const layout = { matrices: 2 * layers * size, bytesPerMatrix: Math.ceil(entries / 8), entries };
  const memory = createPoolMemory(kernels, layout);
  memory.matrices.set(await signKeystream(seed, memory.matrices.length));
  // Made by the first who learns, and kept: made anew for each row of each step, it would be most of what a learning leaves to collect.
  let sums: Float64Array | undefined;
  return {
    ...spec,
    bytes: memory.bytes,
    signs: memory.matrices,
    mergeMatrix: (row, adapters, target) => memory.sumSigns(row * size, adapters, scale / chosen, target),
    projectMatrix(row, gradient, target) {
      const stride = layout.bytesPerMatrix;
      sums ??= new Float64Array(2 * stride * WAYS);
      projectSigns(memory.matrices.subarray(row * size * stride, (row + 1) * size * stride), gradient, sums, target);
      for (let adapter = 0; adapter < size; adapter++) target[adapter] = scale * (target[adapter] ?? Number.NaN);
    },
  };
}

/** Ways that the signs of four entries can be. */
const WAYS = 16;

/**
 * Products of matrices of signs with one of floats. What each four entries come to is worked out once for each of the 16 ways that
 * their signs can be, so that a matrix takes a quarter of the additions.
 *
 * @param signs one matrix after the other, as many as `target` has room for
 * @param sums is written over: room for the ways of each four
 */
function projectSigns(signs: Uint8Array, gradient: Float32Array, sums: Float64Array, target: Float64Array): void {
  const stride = signs.length / target.length;
  let total = 0;
  for (let four = 0; four < 2 * stride; four++) {
    for (let place = 0; place < 4; place++) {
      // Past the last entry there are bits, but nothing to multiply.
      const entry = gradient[4 * four + place] ?? 0;
      total += entry;
      const bit = 1 << place;
      for (let ways = 0; ways < bit; ways++) sums[WAYS * four + bit + ways] = (sums[WAYS * four + ways] ?? 0) + entry;
    }
  }
  for (let adapter = 0; adapter < target.length; adapter++) {
    let ones = 0;
    for (let index = 0; index < stride; index++) {
      const byte = signs[adapter * stride + index] ?? 0;
      const four = 2 * WAYS * index;
      ones += (sums[four + (byte & 15)] ?? 0) + (sums[four + WAYS + (byte >> 4)] ?? 0);
    }
    target[adapter] = 2 * ones - total;
  }
}

async function signKeystream(seed: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const name = new TextEncoder().encode(`xpeft-sign-pool/1:${seed}`);
  const digest = await crypto.subtle.digest("SHA-256", name);
  const key = await crypto.subtle.importKey("raw", digest.slice(0, 16), "AES-CTR", false, ["encrypt"]);
  const algorithm = { name: "AES-CTR", counter: new Uint8Array(16), length: 128 };
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, key, new Uint8Array(length)));
}
