import fc from "fast-check";
import { expect, it } from "vitest";
import { mergeAdapters, mergedBytes } from "../../../src/model/merge.ts";
import { createSignPool, type SignPool } from "../../../src/model/pool/sign.ts";
import { packMasks } from "../../../src/profiles/masks.ts";
import { choicesOf, shapes } from "../../support/arbitraries.ts";
import { compileKernels } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";
import { DEFAULT_SHAPE } from "../../support/rows.ts";

/** Returns an entry of one adapter matrix, read bit by bit. */
function entryOf(pool: SignPool, row: number, adapter: number, entry: number): number {
  const bytesPerMatrix = Math.ceil((pool.hidden * pool.bottleneck) / 8);
  const byte = pool.signs[(row * pool.pool.size + adapter) * bytesPerMatrix + (entry >> 3)] ?? 0;
  return ((byte >> (entry & 7)) & 1) === 1 ? pool.pool.scale : -pool.pool.scale;
}

/** Returns the mean of the chosen matrices, each entry summed separately. */
function meanOf(pool: SignPool, choices: readonly number[]): { down: number[]; up: number[] } {
  const { chosen } = pool.pool;
  const sides = { down: [] as number[], up: [] as number[] };
  for (let row = 0; row < 2 * pool.layers; row++) {
    const adapters = choices.slice(row * chosen, (row + 1) * chosen);
    for (let entry = 0; entry < pool.hidden * pool.bottleneck; entry++) {
      const sum = adapters.reduce((total, adapter) => total + entryOf(pool, row, adapter, entry), 0);
      (row % 2 === 0 ? sides.down : sides.up).push(sum / chosen);
    }
  }
  return sides;
}

const kernels = await compileKernels();

const cases = fc
  .record({ shape: shapes, hidden: fc.integer({ min: 1, max: 12 }), bottleneck: fc.integer({ min: 1, max: 9 }) })
  .chain((sizes) => fc.record({ sizes: fc.constant(sizes), choices: choicesOf(sizes.shape), seed: fc.nat() }));

it("returns the mean of the chosen adapters for any shape", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ sizes, choices, seed }) => {
      const { shape, hidden, bottleneck } = sizes;
      const scale = 0.3;
      const pool = await createSignPool({ ...shape, hidden, bottleneck, pool: { ...shape, seed, scale } }, kernels);
      const merged = mergeAdapters(pool, packMasks(choices, shape));
      const mean = meanOf(pool, choices);
      for (const side of ["down", "up"] as const) {
        expect(merged[side].length).toBe(mean[side].length);
        for (const [index, value] of merged[side].entries()) expect(value).toBeCloseTo(mean[side][index] ?? NaN, 6);
      }
    }),
  );
});

it("averages half of the default pool to a standard deviation of 0.02", async () => {
  const spec = {
    layers: 6,
    hidden: 384,
    bottleneck: 24,
    pool: { ...DEFAULT_SHAPE, seed: 0, scale: 0.02 * Math.sqrt(50) },
  };
  const pool = await createSignPool(spec, kernels);
  const choices = fc.sample(choicesOf(DEFAULT_SHAPE), { numRuns: 1, seed: 1 })[0] ?? [];
  const { down, up } = mergeAdapters(pool, packMasks(choices, DEFAULT_SHAPE));
  expect(4 * (down.length + up.length)).toBe(mergedBytes(pool));
  for (const side of [down, up]) {
    const deviation = Math.sqrt(side.reduce((sum, value) => sum + value * value, 0) / side.length);
    expect(deviation).toBeCloseTo(0.02, 3);
  }
});

it("rejects masks that do not fit the pool", async () => {
  const pool = await createSignPool(
    { layers: 1, hidden: 4, bottleneck: 2, pool: { seed: 0, size: 8, chosen: 2, scale: 1 } },
    kernels,
  );
  expect(() => mergeAdapters(pool, Uint8Array.of(0b11, 0b111))).toThrow(errorWithCode("invalid_mask"));
});

it("merges more adapters than one kernel call can count", async () => {
  const shape = { layers: 1, size: 40_000, chosen: 35_001 };
  const pool = await createSignPool(
    { ...shape, hidden: 3, bottleneck: 1, pool: { ...shape, seed: 3, scale: 1 } },
    kernels,
  );
  const choices = [0, 1].flatMap((row) => Array.from({ length: shape.chosen }, (_, place) => place + row));
  const merged = mergeAdapters(pool, packMasks(choices, shape));
  const mean = meanOf(pool, choices);
  for (const side of ["down", "up"] as const) {
    for (const [index, value] of merged[side].entries()) expect(value).toBeCloseTo(mean[side][index] ?? NaN, 6);
  }
});
