import { expect } from "vitest";

/** What kernels read and write. */
export type Numbers = Float32Array | Int8Array | Uint8Array | Int32Array | Uint32Array;

/** Fails unless numbers have the same bits. Every NaN equals every other: WebAssembly does not specify their bits. */
export function expectSameBits(found: Numbers | undefined, expected: Numbers): void {
  if (found?.length !== expected.length) expect.fail(`there are ${found?.length} numbers, not ${expected.length}`);
  const [own, wanted] = [bitsOf(found), bitsOf(expected)];
  for (let index = 0; index < expected.length; index++) {
    if (own[index] !== wanted[index])
      expect.fail(`number ${index} of ${expected.length} is ${show(found[index])}, not ${show(expected[index])}`);
  }
}

const CANONICAL_NAN = 0x7fc0_0000;

function bitsOf(values: Numbers): Numbers {
  if (!(values instanceof Float32Array)) return values;
  const bits = new Uint32Array(values.slice().buffer);
  for (let index = 0; index < bits.length; index++) if (Number.isNaN(values[index])) bits[index] = CANONICAL_NAN;
  return bits;
}

/** Returns the bytes of numbers, a view. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Numbers): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const show = (value: number | undefined) => (Object.is(value, -0) ? "-0" : String(value));
