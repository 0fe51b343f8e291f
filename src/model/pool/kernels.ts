import { instantiateKernels } from "../kernel-memory.ts";

/** Sizes that determine the layout of a pool's memory. */
export interface PoolLayout {
  /** Matrices of the whole pool. */
  readonly matrices: number;
  readonly bytesPerMatrix: number;
  /** Numbers of a merged matrix, d·b. */
  readonly entries: number;
}

/** A pool in its own WASM memory, and the kernels of merge.as.ts that merge it there. */
export interface PoolMemory {
  /** Size of the memory in bytes. */
  readonly bytes: number;
  /** The pool's matrices, one after the other; zeros until the pool's creator writes them. */
  readonly matrices: Uint8Array<ArrayBuffer>;

  /**
   * Writes `share` times the sum of sign matrices to `target`. A sign is one bit: 1 is +1, 0 is -1.
   *
   * @param first number of the matrix that `adapters` count from
   * @param target `[d·b]`
   */
  sumSigns(first: number, adapters: Uint16Array, share: number, target: Float32Array): void;

  /**
   * Writes the mean of int8 matrices, each times its scale, to `target`. It is as exact as sums of float32: a scale may
   * be off by 2^-31 of the largest chosen scale.
   *
   * @param first number of the matrix that `adapters` count from
   * @param scales one for each adapter, positive
   * @param target `[d·b]`
   */
  meanOfSteps(first: number, adapters: Uint16Array, scales: Float32Array, target: Float32Array): void;
}

/** The exports of merge.as.ts, which explains the parameters. All but shares and units are addresses or counts. */
interface Kernels {
  addSigns(
    list: number,
    listEnd: number,
    chosen: number,
    planes: number,
    planesEnd: number,
    share: number,
    target: number,
    entries: number,
  ): void;
  addSteps(list: number, listEnd: number, unitUpper: number, unitLower: number, target: number, entries: number): void;
}

/** A v128. */
const VECTOR = 16;
/** Numbers that a kernel may write past the last entry. */
const SPARE_ENTRIES = 128;

/** Matrices in one call: their counts, doubled, fit signed 16 bits. */
const SIGNS_A_CALL = 2 ** 14 - 4;
/** Matrices in one call: more of them overflow the processor's caches, fewer read the target more often. */
const STEPS_A_CALL = 16;
const LIST_BYTES = 4 * SIGNS_A_CALL;
const PLANES_BYTES = 14 * VECTOR;

/** Bits of half a share. */
const HALF = 15;
const LOWER_HALF = 2 ** HALF - 1;
const LARGEST_SHARE = 2 ** (2 * HALF) - 1;

/**
 * Allocates a pool's memory.
 *
 * @param kernels kernels.wasm, compiled: workerd compiles imports only
 * @throws XpeftError `bundle_unusable` if there is not enough memory
 */
export async function createPoolMemory(kernels: WebAssembly.Module, layout: PoolLayout): Promise<PoolMemory> {
  const { matrices, bytesPerMatrix, entries } = layout;
  const aligned = (address: number) => Math.ceil(address / VECTOR) * VECTOR;
  // Zeros after the last matrix pad the lists, and kernels may read past the last matrix.
  const list = aligned((matrices + 1) * bytesPerMatrix + VECTOR);
  const planes = list + LIST_BYTES;
  const sums = planes + PLANES_BYTES;
  const bytes = sums + 4 * (entries + SPARE_ENTRIES);
  const { kernels: own, buffer, floats } = await instantiateKernels<Kernels>(kernels, bytes);
  const { addSigns, addSteps } = own;
  const listWords = new Uint32Array(buffer, list, LIST_BYTES / 4);
  const summed = floats(sums, entries);

  return {
    bytes: buffer.byteLength,
    matrices: new Uint8Array(buffer, 0, matrices * bytesPerMatrix),
    sumSigns(first, adapters, share, target) {
      summed.fill(0);
      for (let start = 0; start < adapters.length; start += SIGNS_A_CALL) {
        const count = Math.min(adapters.length - start, SIGNS_A_CALL);
        const padded = 4 * Math.ceil(count / 4);
        for (let position = 0; position < padded; position++) {
          const adapter = position < count ? adapters[start + position] : undefined;
          listWords[position] = (adapter === undefined ? matrices : first + adapter) * bytesPerMatrix;
        }
        const digits = Math.max(2, 32 - Math.clz32(count));
        addSigns(list, list + 4 * padded, count, planes, planes + VECTOR * digits, share, sums, entries);
      }
      target.set(summed);
    },
    meanOfSteps(first, adapters, scales, target) {
      summed.fill(0);
      let largest = 0;
      for (const adapter of adapters) largest = Math.max(largest, scales[adapter] ?? Number.NaN);
      const unit = largest / LARGEST_SHARE / adapters.length;
      const shareOf = (adapter: number) => Math.round(((scales[adapter] ?? Number.NaN) / largest) * LARGEST_SHARE);
      for (let start = 0; start < adapters.length; start += STEPS_A_CALL) {
        const end = Math.min(adapters.length, start + STEPS_A_CALL);
        let word = 0;
        for (let position = start; position < end; position += 2) {
          const a = adapters[position] ?? Number.NaN;
          // A missing second adapter becomes the first again, with a share of 0.
          const b = position + 1 < end ? (adapters[position + 1] ?? Number.NaN) : a;
          const shareA = shareOf(a);
          const shareB = position + 1 < end ? shareOf(b) : 0;
          listWords[word++] = (first + a) * bytesPerMatrix;
          listWords[word++] = (first + b) * bytesPerMatrix;
          listWords[word++] = (shareA >> HALF) | ((shareB >> HALF) << 16);
          listWords[word++] = (shareA & LOWER_HALF) | ((shareB & LOWER_HALF) << 16);
        }
        addSteps(list, list + 4 * word, 2 ** HALF * unit, unit, sums, entries);
      }
      target.set(summed);
    },
  };
}
