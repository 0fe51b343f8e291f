import { XpeftError } from "../errors.ts";
import { floatsFromBytes } from "../lib/floats.ts";

/** The sizes of a bundle that a task adapter depends on, with the letters of docs/formats.md. */
export interface AdapterSizes {
  /** L */
  readonly layers: number;
  /** d */
  readonly hidden: number;
  /** b */
  readonly bottleneck: number;
}

/** An adapter that all profiles of a task share: int8 matrices with one scale each, in every layer. */
export interface TaskAdapter {
  /** `[L, 2]` flat, the second axis down, up; finite and not negative. */
  readonly scales: Float32Array;
  /** `[L, 2, d·b]` flat. */
  readonly steps: Int8Array;
}

/** Returns the bytes of a task adapter: `2 · L · (4 + d·b)`. */
export function adapterBytes({ layers, hidden, bottleneck }: AdapterSizes): number {
  return 2 * layers * (4 + hidden * bottleneck);
}

/** Returns what is wrong with the bytes of a task adapter, as the end of a sentence about it; null if nothing is. */
export function adapterFault(bytes: Uint8Array, sizes: AdapterSizes): string | null {
  const expected = adapterBytes(sizes);
  if (bytes.length !== expected) return `has ${bytes.length} bytes; this bundle needs ${expected}`;
  const scales = scalesOf(bytes, sizes);
  const wrong = scales.findIndex((scale) => !Number.isFinite(scale) || scale < 0);
  if (wrong < 0) return null;
  const matrix = `${wrong % 2 === 0 ? "down" : "up"} matrix of layer ${wrong >> 1}`;
  return `has the scale ${scales[wrong]} for the ${matrix}; a scale is finite and not negative`;
}

/**
 * Returns a task adapter.
 *
 * @param bytes as docs/formats.md ("Task adapter") describes them; the steps stay a view of them
 * @throws XpeftError `invalid_row` if the length or a scale is wrong
 */
export function readTaskAdapter(bytes: Uint8Array, sizes: AdapterSizes): TaskAdapter {
  const fault = adapterFault(bytes, sizes);
  if (fault !== null) throw new XpeftError("invalid_row", `The task's adapter ${fault}.`, { reason: "stored" });
  const scales = scalesOf(bytes, sizes);
  return {
    scales,
    steps: new Int8Array(bytes.buffer, bytes.byteOffset + scales.byteLength, bytes.length - scales.byteLength),
  };
}

const scalesOf = (bytes: Uint8Array, { layers }: AdapterSizes): Float32Array =>
  floatsFromBytes(bytes.subarray(0, 2 * layers * Float32Array.BYTES_PER_ELEMENT));
