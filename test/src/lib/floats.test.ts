import fc from "fast-check";
import { expect, it } from "vitest";
import { bytesFromFloats, floatsFromBytes } from "../../../src/lib/floats.ts";

it("reads back the numbers written, at any byte offset", () => {
  fc.assert(
    fc.property(fc.float32Array(), fc.nat(7), (floats, offset) => {
      const written = bytesFromFloats(floats);
      const moved = new Uint8Array(written.length + offset);
      moved.set(written, offset);
      expect(floatsFromBytes(moved.subarray(offset))).toEqual(floats);
    }),
  );
});

it("is little-endian", () => {
  expect([...bytesFromFloats(Float32Array.of(1))]).toEqual([0, 0, 0x80, 0x3f]);
});
