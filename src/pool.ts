/** A sign pool's numbers; the letters of docs/formats.md stand beside them. */
export interface PoolSpec {
  /** L */
  readonly layers: number;
  /** d */
  readonly hidden: number;
  /** b */
  readonly bottleneck: number;
  readonly pool: {
    readonly seed: number;
    /** N */
    readonly size: number;
    /** k */
    readonly chosen: number;
    readonly scale: number;
  };
}

/** All adapters of a pool as sign bits: 1 is `+scale`, 0 is `-scale`. */
export interface SignPool extends PoolSpec {
  /** `[L, 2, N, wordsPerMatrix]` flat, the second axis down, up. Entry e of a matrix is bit `e & 31` of word `e >> 5`. */
  readonly words: Uint32Array;
  readonly wordsPerMatrix: number;
}

/**
 * Computes the sign pool of a bundle: the AES-128-CTR keystream under a key made from the seed.
 *
 * Takes `2 · L · N · ceil(d·b / 32) · 4` bytes of memory, 1.4 MB for the default bundle.
 */
export async function createSignPool(spec: PoolSpec): Promise<SignPool> {
  const { layers, hidden, bottleneck, pool } = spec;
  const matrices = 2 * layers * pool.size;
  const bytesPerMatrix = Math.ceil((hidden * bottleneck) / 8);
  const keystream = await signKeystream(pool.seed, matrices * bytesPerMatrix);
  const wordsPerMatrix = Math.ceil(bytesPerMatrix / 4);
  return { ...spec, words: inWords(keystream, matrices, bytesPerMatrix), wordsPerMatrix };
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
