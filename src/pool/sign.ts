import type { AdapterPool, PoolShape } from "../pool.ts";

/** What a sign pool is computed from. */
export interface SignPoolSpec extends PoolShape {
  readonly pool: PoolShape["pool"] & { readonly seed: number; readonly scale: number };
}

/** A pool as sign bits: 1 is `+scale`, 0 is `-scale`. */
export interface SignPool extends AdapterPool, SignPoolSpec {
  readonly pool: SignPoolSpec["pool"];
  /** `[L, 2, N, wordsPerMatrix]` flat, the second axis down, up. Entry e of a matrix is bit `e & 31` of word `e >> 5`. */
  readonly words: Uint32Array;
  readonly wordsPerMatrix: number;
}

/**
 * Computes the sign pool of a bundle: the AES-128-CTR keystream under a key made from the seed.
 *
 * Takes `2 · L · N · ceil(d·b / 32) · 4` bytes of memory, 1.4 MB for the default bundle.
 */
export async function createSignPool(spec: SignPoolSpec): Promise<SignPool> {
  const { layers, hidden, bottleneck, pool } = spec;
  const matrices = 2 * layers * pool.size;
  const bytesPerMatrix = Math.ceil((hidden * bottleneck) / 8);
  const keystream = await signKeystream(pool.seed, matrices * bytesPerMatrix);
  const wordsPerMatrix = Math.ceil(bytesPerMatrix / 4);
  const words = inWords(keystream, matrices, bytesPerMatrix);
  const { size, chosen, scale } = pool;
  // An entry is `scale · (2c - k) / k`, c being how many of the k chosen adapters have a plus there.
  const values = Float32Array.from({ length: chosen + 1 }, (_, c) => (scale * (2 * c - chosen)) / chosen);
  return {
    ...spec,
    words,
    wordsPerMatrix,
    mergeMatrix(row, adapters, target) {
      const starts = Array.from(adapters, (adapter) => (row * size + adapter) * wordsPerMatrix);
      countSigns(words, starts, values, target);
    },
  };
}

async function signKeystream(seed: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const name = new TextEncoder().encode(`xpeft-sign-pool/1:${seed}`);
  const digest = await crypto.subtle.digest("SHA-256", name);
  const key = await crypto.subtle.importKey("raw", digest.slice(0, 16), "AES-CTR", false, ["encrypt"]);
  const algorithm = { name: "AES-CTR", counter: new Uint8Array(16), length: 128 };
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, key, new Uint8Array(length)));
}

/** Views the matrices as words; moves each to a word's start where its bytes do not fill its last word. */
function inWords(bytes: Uint8Array<ArrayBuffer>, matrices: number, bytesPerMatrix: number): Uint32Array {
  if (bytesPerMatrix % 4 === 0) return new Uint32Array(bytes.buffer);
  const stride = 4 * Math.ceil(bytesPerMatrix / 4);
  const padded = new Uint8Array(matrices * stride);
  for (let matrix = 0; matrix < matrices; matrix++) {
    padded.set(bytes.subarray(matrix * bytesPerMatrix, (matrix + 1) * bytesPerMatrix), matrix * stride);
  }
  return new Uint32Array(padded.buffer);
}

/**
 * Merges the matrices that start at the given words: an entry becomes `values[c]` where c of them have a plus.
 *
 * The 32 counters of a word's entries stand upright: bit p of each is in plane p, so that a few ands and xors of whole
 * words add what would be 32 sums.
 */
function countSigns(words: Uint32Array, starts: readonly number[], values: Float32Array, target: Float32Array): void {
  const planes = new Uint32Array(32 - Math.clz32(starts.length));
  for (let entry = 0, word = 0; entry < target.length; entry += 32, word++) {
    planes.fill(0);
    let next = 0;
    for (; next + 2 < starts.length; next += 3) {
      // Three bits make a two-bit sum: one walk up the planes for each of its bits, not one for each addend.
      const a = words[(starts[next] ?? 0) + word] ?? 0;
      const b = words[(starts[next + 1] ?? 0) + word] ?? 0;
      const c = words[(starts[next + 2] ?? 0) + word] ?? 0;
      add(planes, a ^ b ^ c, 0);
      add(planes, (a & b) | ((a ^ b) & c), 1);
    }
    for (; next < starts.length; next++) add(planes, words[(starts[next] ?? 0) + word] ?? 0, 0);
    lookUp(planes, values, target.subarray(entry, entry + 32));
  }
}

/** Adds 2^place to the counters whose bit is set. */
function add(planes: Uint32Array, bits: number, place: number): void {
  for (let carry = bits; carry !== 0; place++) {
    const plane = planes[place] ?? 0;
    planes[place] = plane ^ carry;
    carry &= plane;
  }
}

function lookUp(planes: Uint32Array, values: Float32Array, target: Float32Array): void {
  for (let entry = 0; entry < target.length; entry++) {
    let count = 0;
    for (let place = planes.length - 1; place >= 0; place--)
      count = (count << 1) | (((planes[place] ?? 0) >>> entry) & 1);
    target[entry] = values[count] ?? Number.NaN;
  }
}
