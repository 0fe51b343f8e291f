import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { adapterBytes, adapterFault, readTaskAdapter } from "../../../src/profiles/task-adapter.ts";
import { errorWithCode } from "../../support/errors.ts";
import { packAdapter } from "../../support/rows.ts";

const bundle = await readBundle(DEFAULT_BUNDLE);
const SIZES = { layers: 2, hidden: 3, bottleneck: 2 };

const small = fc.integer({ min: 1, max: 5 });
const adapters = fc.record({ layers: small, hidden: small, bottleneck: small }).chain((sizes) => {
  const matrices = 2 * sizes.layers;
  const steps = matrices * sizes.hidden * sizes.bottleneck;
  return fc.record({
    sizes: fc.constant(sizes),
    scales: fc.float32Array({ minLength: matrices, maxLength: matrices, min: 0, noNaN: true, noDefaultInfinity: true }),
    steps: fc.int8Array({ minLength: steps, maxLength: steps }),
    offset: fc.integer({ min: 0, max: 7 }),
  });
});

it("takes 73,776 bytes in the default bundle", () => {
  expect(adapterBytes(bundle.manifest)).toBe(73_776);
});

describe("readTaskAdapter", () => {
  it("returns the scales and steps that were packed, at any offset of a buffer", () => {
    fc.assert(
      fc.property(adapters, ({ sizes, scales, steps, offset }) => {
        const packed = packAdapter(scales, steps);
        const bytes = new Uint8Array(offset + packed.length + 1).subarray(offset, offset + packed.length);
        bytes.set(packed);
        expect(adapterBytes(sizes)).toBe(bytes.length);
        expect(readTaskAdapter(bytes, sizes)).toEqual({ scales, steps });
      }),
    );
  });

  it.each([
    ["a byte less", packAdapter(new Float32Array(4), new Int8Array(23)), "has 39 bytes; this bundle needs 40"],
    ["a byte more", packAdapter(new Float32Array(4), new Int8Array(25)), "has 41 bytes; this bundle needs 40"],
    ["no bytes", new Uint8Array(), "has 0 bytes"],
    [
      "a negative scale",
      packAdapter(Float32Array.of(1, 0, 0, -0.5), new Int8Array(24)),
      "has the scale -0.5 for the up matrix of layer 1; a scale is finite and not negative",
    ],
    [
      "an infinite scale",
      packAdapter(Float32Array.of(1, 0, Number.POSITIVE_INFINITY, 1), new Int8Array(24)),
      "has the scale Infinity for the down matrix of layer 1",
    ],
    ["a scale that is no number", packAdapter(Float32Array.of(1, Number.NaN, 1, 1), new Int8Array(24)), "NaN"],
  ])("reports %s", (_, bytes, message) => {
    expect(adapterFault(bytes, SIZES)).toContain(message);
    expect(() => readTaskAdapter(bytes, SIZES)).toThrow(errorWithCode("invalid_row"));
    expect(() => readTaskAdapter(bytes, SIZES)).toThrow(`The task's adapter ${adapterFault(bytes, SIZES)}.`);
  });

  it("accepts scales of 0, for matrices of zeros", () => {
    expect(adapterFault(packAdapter(new Float32Array(4), new Int8Array(24).fill(-128)), SIZES)).toBeNull();
  });
});
