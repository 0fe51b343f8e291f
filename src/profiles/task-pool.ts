import { XpeftError } from "../errors.ts";
import { floatsFromBytes } from "../lib/floats.ts";
import type { PooledSizes } from "./adapter-sizes.ts";

/** How many adapters a pool has, and how many of them a mask chooses. */
interface PoolCounts {
  /** N */
  readonly size: number;
  /** k */
  readonly chosen: number;
}

/** The pool that a task's masks choose from in place of the bundle's: int8 matrices with one scale each. */
export interface TaskPool extends PoolCounts {
  /** `[K, 2, N]` flat, the second axis down, up; finite and positive. */
  readonly scales: Float32Array;
  /** `[K, 2, N, d·b]` flat. */
  readonly steps: Int8Array;
}

const MAX_ADAPTERS = 4096;
/** N and k, each in 16 bits. */
const HEADER_BYTES = 4;

/**
 * Returns N and k of a task's pool. Its matrices are not read.
 *
 * @param bytes what follows the matrices of the task's adapter
 * @throws XpeftError `invalid_row` if the pool cannot have these sizes
 */
export function readPoolCounts(bytes: Uint8Array): PoolCounts {
  const fault = countsFault(bytes);
  if (fault !== null) throw new XpeftError("invalid_row", `The task's adapter ${fault}.`, { reason: "stored" });
  return countsOf(bytes);
}

/** Returns what is wrong with the bytes of a task's pool, as the end of a sentence about the task's adapter. */
export function poolFault(bytes: Uint8Array, sizes: PooledSizes): string | null {
  const fault = countsFault(bytes);
  if (fault !== null) return fault;
  const { size } = countsOf(bytes);
  const entries = sizes.hidden * sizes.bottleneck;
  const expected = HEADER_BYTES + matricesOf(size, sizes) * (4 + entries);
  if (bytes.length !== expected) {
    return `has a pool of ${size} adapters in ${bytes.length} bytes; this bundle needs ${expected}`;
  }
  const scales = scalesOf(bytes, size, sizes);
  const wrong = scales.findIndex((scale) => !Number.isFinite(scale) || scale <= 0);
  if (wrong < 0) return null;
  const row = Math.floor(wrong / size);
  const matrix = `${row % 2 === 0 ? "down" : "up"} matrix of its pool's adapter ${wrong % size} in layer ${sizes.pool.firstLayer + (row >> 1)}`;
  return `has the scale ${scales[wrong]} for the ${matrix}; a scale of a pool is finite and positive`;
}

/** Returns a task's pool. @param bytes without a fault; the steps stay a view of them */
export function readTaskPool(bytes: Uint8Array, sizes: PooledSizes): TaskPool {
  const counts = countsOf(bytes);
  const scales = scalesOf(bytes, counts.size, sizes);
  const start = HEADER_BYTES + scales.byteLength;
  return { ...counts, scales, steps: new Int8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start) };
}

function countsFault(bytes: Uint8Array): string | null {
  if (bytes.length < HEADER_BYTES) {
    return `has ${bytes.length} bytes after its matrices; a pool begins with ${HEADER_BYTES}`;
  }
  const { size, chosen } = countsOf(bytes);
  if (size < 1 || size > MAX_ADAPTERS) return `has a pool of ${size} adapters; a pool has 1 to ${MAX_ADAPTERS}`;
  if (chosen < 1 || chosen > size) return `has a pool whose masks choose ${chosen} of ${size} adapters`;
  return null;
}

function countsOf(bytes: Uint8Array): PoolCounts {
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  return { size: header.getUint16(0, true), chosen: header.getUint16(2, true) };
}

const matricesOf = (size: number, { layers, pool }: PooledSizes): number => 2 * (layers - pool.firstLayer) * size;

const scalesOf = (bytes: Uint8Array, size: number, sizes: PooledSizes): Float32Array =>
  floatsFromBytes(bytes.subarray(HEADER_BYTES, HEADER_BYTES + 4 * matricesOf(size, sizes)));
