import type { AdapterPool, PoolShape } from "../pool.ts";
import { createPoolMemory } from "./kernels.ts";

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
  return {
    ...spec,
    bytes: memory.bytes,
    signs: memory.matrices,
    mergeMatrix: (row, adapters, target) => memory.sumSigns(row * size, adapters, scale / chosen, target),
  };
}

async function signKeystream(seed: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const name = new TextEncoder().encode(`xpeft-sign-pool/1:${seed}`);
  const digest = await crypto.subtle.digest("SHA-256", name);
  const key = await crypto.subtle.importKey("raw", digest.slice(0, 16), "AES-CTR", false, ["encrypt"]);
  const algorithm = { name: "AES-CTR", counter: new Uint8Array(16), length: 128 };
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, key, new Uint8Array(length)));
}
