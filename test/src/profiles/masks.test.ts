import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskBytes, maskShapeOf, packMasks, unpackMasks } from "../../../src/profiles/masks.ts";
import { choicesOf, shapes } from "../../support/arbitraries.ts";
import { errorWithCode } from "../../support/errors.ts";
import { DEFAULT_SHAPE, masksOf } from "../../support/rows.ts";

const shapesAndChoices = shapes.chain((shape) => fc.tuple(fc.constant(shape), choicesOf(shape)));

describe("maskBytes", () => {
  it("is 64 for the default bundle", () => {
    expect(maskBytes(DEFAULT_SHAPE)).toBe(64);
  });
});

it("has masks only for the layers of the pool", () => {
  const pool = { firstLayer: 4, size: 256, chosen: 128 };
  const shape = maskShapeOf({ layers: 6, pool });
  expect(shape).toEqual({ firstLayer: 4, layers: 2, size: 256, chosen: 128 });
  expect(maskBytes(shape)).toBe(128);
});

describe("packMasks", () => {
  it("puts adapter n at bit n & 7 of byte n >> 3, down before up", () => {
    const blob = packMasks([0, 9, 3, 8], { firstLayer: 0, layers: 1, size: 10, chosen: 2 });
    expect([...blob]).toEqual([0b1, 0b10, 0b1000, 0b1]);
  });

  it.each([
    ["too few adapters", [0, 1, 2]],
    ["an adapter past the pool", [0, 1, 2, 10]],
    ["a negative adapter", [0, 1, 2, -1]],
    ["a fractional adapter", [0, 1, 2, 2.5]],
    ["an adapter chosen twice", [0, 1, 2, 2]],
  ])("rejects %s", (_, adapters) => {
    expect(() => packMasks(adapters, { firstLayer: 0, layers: 1, size: 10, chosen: 2 })).toThrow(
      errorWithCode("invalid_mask"),
    );
  });
});

describe("unpackMasks", () => {
  it("returns what was packed", () => {
    fc.assert(
      fc.property(shapesAndChoices, ([shape, choices]) => {
        const blob = packMasks(choices, shape);
        expect(blob.length).toBe(maskBytes(shape));
        expect([...unpackMasks(blob, shape)]).toEqual(choices);
      }),
    );
  });

  it("rejects a blob with any single bit flipped, padding included", () => {
    fc.assert(
      fc.property(shapesAndChoices, fc.nat(), ([shape, choices], place) => {
        const blob = packMasks(choices, shape);
        const bit = place % (8 * blob.length);
        blob[bit >> 3] = (blob[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => unpackMasks(blob, shape)).toThrow(errorWithCode("invalid_mask"));
      }),
    );
  });

  it("reads no bytes as no masks, and rejects every other length", () => {
    fc.assert(
      fc.property(shapesAndChoices, fc.nat(), ([shape, choices], length) => {
        expect(unpackMasks(packMasks([], shape), shape)).toEqual(new Uint16Array());
        const blob = packMasks(choices, shape);
        const bytes = 1 + (length % blob.length);
        const other = new Uint8Array([...blob.subarray(0, bytes), ...(bytes === blob.length ? [0] : [])]);
        expect(() => unpackMasks(other, shape)).toThrow(errorWithCode("invalid_mask"));
      }),
    );
    expect([...packMasks([], DEFAULT_SHAPE)]).toEqual([]);
    expect(() => unpackMasks(new Uint8Array(63), DEFAULT_SHAPE)).toThrow("has 63 bytes; this task needs 64.");
  });

  it("reports which mask is wrong", () => {
    const shape = { firstLayer: 3, layers: 2, size: 8, chosen: 1 };
    const whole = packMasks([0, 1, 2, 3], shape);
    const names = [
      "the down mask of layer 3",
      "the up mask of layer 3",
      "the down mask of layer 4",
      "the up mask of layer 4",
    ];
    for (const [row, name] of names.entries()) {
      expect(() => unpackMasks(whole.with(row, 0b11), shape)).toThrow(`2 adapters are chosen in ${name}, not 1.`);
      const beyond = [0, 1, 2, 3].with(row, 8);
      expect(() => packMasks(beyond, shape)).toThrow(`Adapter 8 is chosen in ${name}; the pool has 8 adapters.`);
    }
  });

  it("rejects a bit past the pool even if the count of ones is right", () => {
    const shape = { firstLayer: 0, layers: 1, size: 10, chosen: 2 };
    expect(() => unpackMasks(Uint8Array.of(0b1, 0b100, 0b11, 0), shape)).toThrow(/past the pool's 10 adapters/);
  });

  const lengths = Array.from({ length: 12 }, (_, bit) => 64 ^ (1 << bit)).filter((length) => length > 0);
  it.each(lengths)("rejects %i bytes instead of 64", (length) => {
    const blob = new Uint8Array(length);
    blob.set(masksOf(1).subarray(0, length));
    expect(() => unpackMasks(blob, DEFAULT_SHAPE)).toThrow(errorWithCode("invalid_mask"));
  });
});
