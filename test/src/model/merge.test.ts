import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matrixOf, mergeAdapters, mergedBytes } from "../../../src/model/merge.ts";
import type { AdapterPool } from "../../../src/model/pool/pool.ts";
import { createSignPool, type SignPool } from "../../../src/model/pool/sign.ts";
import { type MaskShape, packMasks } from "../../../src/profiles/masks.ts";
import { readTaskAdapter } from "../../../src/profiles/task-adapter.ts";
import { choicesOf, shapes } from "../../support/arbitraries.ts";
import { compileKernels } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";
import { poolShapeOf } from "../../support/pools.ts";
import { DEFAULT_SHAPE, packAdapter } from "../../support/rows.ts";

/** Returns an entry of one adapter matrix, read bit by bit. */
function entryOf(pool: SignPool, row: number, adapter: number, entry: number): number {
  const bytesPerMatrix = Math.ceil((pool.hidden * pool.bottleneck) / 8);
  const byte = pool.signs[(row * pool.pool.size + adapter) * bytesPerMatrix + (entry >> 3)] ?? 0;
  return ((byte >> (entry & 7)) & 1) === 1 ? pool.pool.scale : -pool.pool.scale;
}

/** Returns the mean of the chosen matrices, each entry summed separately, after zeros for the layers without a pool. */
function meanOf(pool: SignPool, choices: readonly number[]): { down: number[]; up: number[] } {
  const { chosen } = pool.pool;
  const zeros = () => new Array<number>(pool.pool.firstLayer * pool.hidden * pool.bottleneck).fill(0);
  const sides = { down: zeros(), up: zeros() };
  for (let row = 0; row < 2 * (pool.layers - pool.pool.firstLayer); row++) {
    const adapters = choices.slice(row * chosen, (row + 1) * chosen);
    for (let entry = 0; entry < pool.hidden * pool.bottleneck; entry++) {
      const sum = adapters.reduce((total, adapter) => total + entryOf(pool, row, adapter, entry), 0);
      (row % 2 === 0 ? sides.down : sides.up).push(sum / chosen);
    }
  }
  return sides;
}

const kernels = await compileKernels();

/** Returns the sizes, seed and scale of a sign pool that masks of a shape fit. */
function signSpec(shape: MaskShape, sizes: { hidden: number; bottleneck: number }, seed: number, scale: number) {
  const { pool, ...encoder } = poolShapeOf(shape, sizes);
  return { ...encoder, pool: { ...pool, seed, scale } };
}

const cases = fc
  .record({ shape: shapes, hidden: fc.integer({ min: 1, max: 12 }), bottleneck: fc.integer({ min: 1, max: 9 }) })
  .chain((sizes) => fc.record({ sizes: fc.constant(sizes), choices: choicesOf(sizes.shape), seed: fc.nat() }));

it("returns the mean of the chosen adapters for any shape", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ sizes, choices, seed }) => {
      const { shape, hidden, bottleneck } = sizes;
      const scale = 0.3;
      const pool = await createSignPool(signSpec(shape, { hidden, bottleneck }, seed, scale), kernels);
      const merged = mergeAdapters(pool, packMasks(choices, shape), null);
      const mean = meanOf(pool, choices);
      for (const side of ["down", "up"] as const) {
        expect(merged[side].length).toBe(mean[side].length);
        for (const [index, value] of merged[side].entries()) expect(value).toBeCloseTo(mean[side][index] ?? NaN, 6);
      }
    }),
  );
});

it("averages half of the default pool to a standard deviation of 0.02", async () => {
  const spec = signSpec(DEFAULT_SHAPE, { hidden: 384, bottleneck: 16 }, 0, 0.02 * Math.sqrt(128));
  const pool = await createSignPool(spec, kernels);
  const choices = fc.sample(choicesOf(DEFAULT_SHAPE), { numRuns: 1, seed: 1 })[0] ?? [];
  const { down, up } = mergeAdapters(pool, packMasks(choices, DEFAULT_SHAPE), null);
  expect(4 * (down.length + up.length)).toBe(mergedBytes(pool));
  const masked = DEFAULT_SHAPE.firstLayer * 384 * 16;
  for (const side of [down.subarray(masked), up.subarray(masked)]) {
    const deviation = Math.sqrt(side.reduce((sum, value) => sum + value * value, 0) / side.length);
    expect(deviation).toBeCloseTo(0.02, 3);
  }
});

describe("with a task's adapter", () => {
  const sizes = { layers: 2, hidden: 2, bottleneck: 1 };
  // Layer 1 has the only pool: down [0.5, -0.5] or [0.5, 0.5], and up [-0.5, 0.5] or [0.5, 0.5].
  const pool: AdapterPool = {
    ...sizes,
    pool: { firstLayer: 1, size: 2, chosen: 1 },
    bytes: 0,
    mergeMatrix: (row, [adapter = 0], target) =>
      target.set(
        [
          [0.5, -0.5],
          [0.5, 0.5],
          [-0.5, 0.5],
          [0.5, 0.5],
        ][2 * row + adapter] ?? [],
      ),
    projectMatrix: () => {},
  };
  const bytes = packAdapter(Float32Array.of(0.25, 2, 0, 0.125), Int8Array.of(4, -8, 1, -128, 100, 100, 16, 127));
  const adapter = readTaskAdapter(bytes, pool);
  const masks = Uint8Array.of(0b01, 0b10);

  it("returns the sum of the adapter and the pool's mean, worked out by hand", () => {
    expect(mergeAdapters(pool, masks, adapter)).toEqual({
      down: Float32Array.of(1, -2, 0.5, -0.5),
      up: Float32Array.of(2, -256, 2.5, 16.375),
    });
    expect(mergeAdapters(pool, masks, null)).toEqual({
      down: Float32Array.of(0, 0, 0.5, -0.5),
      up: Float32Array.of(0, 0, 0.5, 0.5),
    });
  });

  it("returns the adapter alone without masks, and zeros without both, without any work of the pool", () => {
    const idle = { ...pool, mergeMatrix: () => expect.fail("the pool was merged") };
    const used = { down: new Float32Array(4).fill(9), up: new Float32Array(4).fill(9) };
    expect(mergeAdapters(idle, new Uint8Array(), adapter, 0, used)).toEqual({
      down: Float32Array.of(1, -2, 0, 0),
      up: Float32Array.of(2, -256, 2, 15.875),
    });
    const zeros = { down: new Float32Array(4), up: new Float32Array(4) };
    expect(mergeAdapters(idle, new Uint8Array(), null, 0, used)).toEqual(zeros);
  });

  it("overwrites arrays that held another profile", () => {
    const used = { down: new Float32Array(4).fill(9), up: new Float32Array(4).fill(9) };
    expect(mergeAdapters(pool, masks, null, 0, used)).toBe(used);
    expect(used).toEqual(mergeAdapters(pool, masks, null));
  });

  it("adds in float32", async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.float({ min: 0, max: 8, noNaN: true }), async ({ sizes, choices, seed }, scale) => {
        const { shape, hidden, bottleneck } = sizes;
        const signs = await createSignPool(signSpec(shape, { hidden, bottleneck }, seed, 0.3), kernels);
        const matrices = 2 * signs.layers;
        const steps = Int8Array.from({ length: matrices * hidden * bottleneck }, (_, index) => (index * 37) % 256);
        const task = { scales: new Float32Array(matrices).fill(scale), steps };
        const masks = packMasks(choices, shape);
        const mean = mergeAdapters(signs, masks, null);
        const merged = mergeAdapters(signs, masks, task);
        for (let row = 0; row < matrices; row++) {
          const matrix = matrixOf(mean, row, signs);
          const own = Float32Array.from(
            steps.subarray(row * matrix.length, (row + 1) * matrix.length),
            (s) => s * scale,
          );
          const sum = Float32Array.from(matrix, (value, entry) => value + (own[entry] ?? Number.NaN));
          expect(matrixOf(merged, row, signs)).toEqual(sum);
        }
      }),
      { numRuns: 30 },
    );
  });
});

it("rejects masks that do not fit the pool", async () => {
  const pool = await createSignPool(
    signSpec({ firstLayer: 0, layers: 1, size: 8, chosen: 2 }, { hidden: 4, bottleneck: 2 }, 0, 1),
    kernels,
  );
  expect(() => mergeAdapters(pool, Uint8Array.of(0b11, 0b111), null)).toThrow(errorWithCode("invalid_mask"));
});

it("merges more adapters than one kernel call can count", async () => {
  const shape = { firstLayer: 0, layers: 1, size: 40_000, chosen: 35_001 };
  const pool = await createSignPool(signSpec(shape, { hidden: 3, bottleneck: 1 }, 3, 1), kernels);
  const choices = [0, 1].flatMap((row) => Array.from({ length: shape.chosen }, (_, place) => place + row));
  const merged = mergeAdapters(pool, packMasks(choices, shape), null);
  const mean = meanOf(pool, choices);
  for (const side of ["down", "up"] as const) {
    for (const [index, value] of merged[side].entries()) expect(value).toBeCloseTo(mean[side][index] ?? NaN, 6);
  }
});
