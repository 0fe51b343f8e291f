/** Numbers of a pool that its memory is laid out by. */
export interface PoolLayout {
  /** Matrices of the whole pool. */
  readonly matrices: number;
  readonly bytesPerMatrix: number;
  /** Numbers of a merged matrix, d·b. */
  readonly entries: number;
}

/** A pool in a WASM memory of its own, and nowhere else, with what merges it there: kernels.wat. */
export interface PoolMemory {
  /** Bytes of it. */
  readonly bytes: number;
  /** The pool's matrices, one after the other: zeros, until whoever makes the pool writes them. */
  readonly matrices: Uint8Array<ArrayBuffer>;

  /**
   * Writes `share` times the sum of matrices of signs, of one bit an entry: 1 is +1, 0 is -1.
   *
   * @param first number of the matrix that `adapters` count from
   * @param target `[d·b]`
   */
  sumSigns(first: number, adapters: Uint16Array, share: number, target: Float32Array): void;

  /**
   * Writes the mean of matrices of int8 steps, each times its scale, as exact as sums of float32 are: a scale may be off by
   * 2^-31 of the largest of those given.
   *
   * @param first number of the matrix that `adapters` count from
   * @param scales one for each adapter that could be chosen, positive
   * @param target `[d·b]`
   */
  meanOfSteps(first: number, adapters: Uint16Array, scales: Float32Array, target: Float32Array): void;
}

/** What kernels.wat exports; it tells what the parameters are. All but shares and units are addresses or counts. */
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

const PAGE = 2 ** 16;
/** A v128. */
const VECTOR = 16;
/** Numbers that a kernel may write past the last entry. */
const SPARE_ENTRIES = 128;

/** Matrices that a call counts: their counts, doubled, fit 16 bits with a sign. */
const SIGNS_A_CALL = 2 ** 14 - 4;
/** Matrices that a call sums: with more, their streams crowd the processor's caches; with fewer, the target is gone through too often. */
const STEPS_A_CALL = 16;
const LIST_BYTES = 4 * SIGNS_A_CALL;
const PLANES_BYTES = 14 * VECTOR;

/** Bits of a half of a share. */
const HALF = 15;
const LOWER_HALF = 2 ** HALF - 1;
const LARGEST_SHARE = 2 ** (2 * HALF) - 1;

/**
 * Makes a pool's memory.
 *
 * @param kernels kernels.wasm, compiled: inside workerd it can come from an import only
 * @throws RangeError if there is not as much memory
 */
export function createPoolMemory(kernels: WebAssembly.Module, layout: PoolLayout): PoolMemory {
  const { matrices, bytesPerMatrix, entries } = layout;
  const aligned = (address: number) => Math.ceil(address / VECTOR) * VECTOR;
  // A matrix of zeros after the last one fills lists up, and is what a kernel may read past the last one.
  const list = aligned((matrices + 1) * bytesPerMatrix + VECTOR);
  const planes = list + LIST_BYTES;
  const sums = planes + PLANES_BYTES;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((sums + 4 * (entries + SPARE_ENTRIES)) / PAGE) });
  const { exports } = new WebAssembly.Instance(kernels, { pool: { memory } });
  const { addSigns, addSteps } = exports as unknown as Kernels;
  const buffer = memory.buffer as ArrayBuffer;
  const listed = new Uint32Array(buffer, list, LIST_BYTES / 4);
  const found = new Float32Array(buffer, sums, entries);

  return {
    bytes: buffer.byteLength,
    matrices: new Uint8Array(buffer, 0, matrices * bytesPerMatrix),
    sumSigns(first, adapters, share, target) {
      found.fill(0);
      for (let start = 0; start < adapters.length; start += SIGNS_A_CALL) {
        const count = Math.min(adapters.length - start, SIGNS_A_CALL);
        const filled = 4 * Math.ceil(count / 4);
        for (let place = 0; place < filled; place++) {
          const adapter = place < count ? adapters[start + place] : undefined;
          listed[place] = (adapter === undefined ? matrices : first + adapter) * bytesPerMatrix;
        }
        const digits = Math.max(2, 32 - Math.clz32(count));
        addSigns(list, list + 4 * filled, count, planes, planes + VECTOR * digits, share, sums, entries);
      }
      target.set(found);
    },
    meanOfSteps(first, adapters, scales, target) {
      found.fill(0);
      let largest = 0;
      for (const adapter of adapters) largest = Math.max(largest, scales[adapter] ?? Number.NaN);
      const unit = largest / LARGEST_SHARE / adapters.length;
      const shareOf = (adapter: number) => Math.round(((scales[adapter] ?? Number.NaN) / largest) * LARGEST_SHARE);
      for (let start = 0; start < adapters.length; start += STEPS_A_CALL) {
        const end = Math.min(adapters.length, start + STEPS_A_CALL);
        let word = 0;
        for (let place = start; place < end; place += 2) {
          const a = adapters[place] ?? Number.NaN;
          // Where there is no second one it is the first again, with a share of nothing.
          const b = place + 1 < end ? (adapters[place + 1] ?? Number.NaN) : a;
          const shareA = shareOf(a);
          const shareB = place + 1 < end ? shareOf(b) : 0;
          listed[word++] = (first + a) * bytesPerMatrix;
          listed[word++] = (first + b) * bytesPerMatrix;
          listed[word++] = (shareA >> HALF) | ((shareB >> HALF) << 16);
          listed[word++] = (shareA & LOWER_HALF) | ((shareB & LOWER_HALF) << 16);
        }
        addSteps(list, list + 4 * word, 2 ** HALF * unit, unit, sums, entries);
      }
      target.set(found);
    },
  };
}
