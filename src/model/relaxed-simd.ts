import { validateWasm } from "../lib/wasm.ts";

/** A module whose function `[] -> [v128]` swizzles relaxedly two vectors of 16 equal bytes. */
const PROBE = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 5, 1, 0x60, 0, 1, 0x7b],
  ...[3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 0x41, 1, 0xfd, 15, 0x41, 2, 0xfd, 15, 0xfd, 0x80, 2, 11],
);

/** Returns whether this runtime compiles relaxed SIMD, which the encoder's kernels need. */
export const hasRelaxedSimd = (): boolean => validateWasm(PROBE);
