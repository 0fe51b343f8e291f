import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { adapterBytes, adapterFault, readTaskAdapter, taskMaskShape } from "../../../src/profiles/task-adapter.ts";
import { errorWithCode } from "../../support/errors.ts";
import { DEFAULT_SHAPE, packAdapter, packPooled } from "../../support/rows.ts";

const bundle = await readBundle(DEFAULT_BUNDLE);
const SIZES = { layers: 2, hidden: 3, bottleneck: 2, pool: { firstLayer: 1 } };

const small = fc.integer({ min: 1, max: 5 });
const sizesOf = fc
  .record({ layers: small, hidden: small, bottleneck: small, first: fc.nat({ max: 4 }) })
  .map(({ first, ...sizes }) => ({ ...sizes, pool: { firstLayer: first % sizes.layers } }));

/** Returns int8 matrices, each with a scale. */
function matricesOf(matrices: number, entries: number, min: number) {
  return fc.record({
    scales: fc.float32Array({ minLength: matrices, maxLength: matrices, min, noNaN: true, noDefaultInfinity: true }),
    steps: fc.int8Array({ minLength: matrices * entries, maxLength: matrices * entries }),
  });
}

const adapters = fc
  .record({ sizes: sizesOf, size: fc.integer({ min: 1, max: 9 }), part: fc.nat({ max: 8 }) })
  .chain(({ sizes, size, part }) => {
    const { layers, hidden, bottleneck, pool } = sizes;
    const entries = hidden * bottleneck;
    const poolMatrices = matricesOf(2 * (layers - pool.firstLayer) * size, entries, 2 ** -126);
    return fc.record({
      sizes: fc.constant(sizes),
      adapter: matricesOf(2 * layers, entries, 0),
      pool: fc.option(poolMatrices.map((matrices) => ({ size, chosen: 1 + (part % size), ...matrices }))),
      offset: fc.integer({ min: 0, max: 7 }),
    });
  });

it("takes 73,776 bytes in the default bundle", () => {
  expect(adapterBytes(bundle.manifest)).toBe(73_776);
});

describe("readTaskAdapter", () => {
  it("returns the scales and steps that were packed, at any offset of a buffer", () => {
    fc.assert(
      fc.property(adapters, ({ sizes, adapter, pool, offset }) => {
        const alone = packAdapter(adapter.scales, adapter.steps);
        const packed = pool ? packPooled(alone, pool) : alone;
        const bytes = new Uint8Array(offset + packed.length + 1).subarray(offset, offset + packed.length);
        bytes.set(packed);
        expect(adapterBytes(sizes)).toBe(alone.length);
        expect(readTaskAdapter(bytes, sizes)).toEqual({ ...adapter, pool });
      }),
    );
  });

  it.each([
    ["a byte less", packAdapter(new Float32Array(4), new Int8Array(23)), "has 39 bytes; this bundle needs 40"],
    [
      "a byte more",
      packAdapter(new Float32Array(4), new Int8Array(25)),
      "has 1 bytes after its matrices; a pool begins with 4",
    ],
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

describe("a pool after the adapter", () => {
  const alone = packAdapter(new Float32Array(4), new Int8Array(24));
  const pool = { size: 3, chosen: 2, scales: new Float32Array(6).fill(0.5), steps: new Int8Array(36).fill(7) };
  const withScale = (place: number, scale: number) => ({ ...pool, scales: pool.scales.with(place, scale) });

  it.each([
    ["three bytes of a header", packPooled(alone, pool).subarray(0, 43), "has 3 bytes after its matrices"],
    ["no adapters", packPooled(alone, { ...pool, size: 0 }), "has a pool of 0 adapters; a pool has 1 to 4096"],
    ["too many adapters", packPooled(alone, { ...pool, size: 4097 }), "has a pool of 4097 adapters"],
    ["masks that choose none", packPooled(alone, { ...pool, chosen: 0 }), "masks choose 0 of 3 adapters"],
    ["masks that choose too many", packPooled(alone, { ...pool, chosen: 4 }), "masks choose 4 of 3 adapters"],
    ["a byte less", packPooled(alone, pool).slice(0, -1), "3 adapters in 63 bytes; this bundle needs 64"],
    ["a byte more", Uint8Array.of(...packPooled(alone, pool), 0), "3 adapters in 65 bytes; this bundle needs 64"],
    [
      "a pool of every layer",
      packPooled(alone, { ...pool, scales: new Float32Array(12).fill(1), steps: new Int8Array(72) }),
      "124 bytes",
    ],
    [
      "a scale of 0",
      packPooled(alone, withScale(4, 0)),
      "has the scale 0 for the up matrix of its pool's adapter 1 in layer 1; a scale of a pool is finite and positive",
    ],
    [
      "a negative scale",
      packPooled(alone, withScale(2, -1)),
      "the scale -1 for the down matrix of its pool's adapter 2",
    ],
    ["an infinite scale", packPooled(alone, withScale(0, Number.POSITIVE_INFINITY)), "the scale Infinity"],
    ["a scale that is no number", packPooled(alone, withScale(5, Number.NaN)), "the scale NaN"],
  ])("is reported with %s", (_, bytes, message) => {
    expect(adapterFault(bytes, SIZES)).toContain(message);
    expect(() => readTaskAdapter(bytes, SIZES)).toThrow(errorWithCode("invalid_row"));
  });

  it("has 4096 adapters at most", () => {
    const most = { size: 4096, chosen: 4096, scales: new Float32Array(8192).fill(1), steps: new Int8Array(8192 * 6) };
    expect(adapterFault(packPooled(alone, most), SIZES)).toBeNull();
  });

  it("gives the task's masks its sizes, and takes 393,476 bytes with 32 adapters in the default bundle", () => {
    const { manifest } = bundle;
    expect(taskMaskShape(manifest, null)).toEqual(DEFAULT_SHAPE);
    const adapter = new Uint8Array(adapterBytes(manifest));
    expect(taskMaskShape(manifest, adapter)).toEqual(DEFAULT_SHAPE);
    const header = Uint8Array.of(32, 0, 16, 0);
    expect(taskMaskShape(manifest, Uint8Array.of(...adapter, ...header))).toEqual({
      ...DEFAULT_SHAPE,
      size: 32,
      chosen: 16,
    });
    const bytes = new Uint8Array(adapter.length + 393_476);
    bytes.set(header, adapter.length);
    bytes.fill(1, adapter.length + header.length);
    expect(adapterFault(bytes, manifest)).toBeNull();
    const damaged = Uint8Array.of(...adapter, 16, 0, 32, 0);
    expect(() => taskMaskShape(manifest, damaged)).toThrow(errorWithCode("invalid_row"));
  });
});
