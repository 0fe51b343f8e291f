import { expect, it } from "vitest";
import { createMaskOptimizer } from "../../../src/learn/mask-optimizer.ts";
import { createRandom } from "../../../src/learn/random.ts";
import { mergeAdapters } from "../../../src/model/merge.ts";
import { createSignPool } from "../../../src/model/pool/sign.ts";
import { packMasks } from "../../../src/profiles/masks.ts";
import { compileKernels } from "../../support/default-bundle.ts";

const SIZE = 6;
const CHOSEN = 2;
const shape = { layers: 3, size: SIZE, chosen: CHOSEN };
const pool = await createSignPool(
  { layers: 3, hidden: 5, bottleneck: 2, pool: { ...shape, seed: 4, scale: 0.5 } },
  await compileKernels(),
);
const ENTRIES = 10;

const NO_NOISE = new Float64Array(4 * SIZE);

/** Returns an optimizer of the last two layers, from random logits. */
function randomOptimizer(seed: number) {
  const logits = Float64Array.from({ length: 4 * SIZE }, createRandom(seed).normal);
  return { ...createMaskOptimizer(pool, 1, logits, 1), logits };
}

it("draws the merged adapters of its layers' masks", () => {
  const optimizer = randomOptimizer(1);
  const chosen = optimizer.chosen();
  expect(chosen).toHaveLength(4 * CHOSEN);
  const firstLayer = [0, 1, 2, 3];
  const whole = mergeAdapters(pool, packMasks([...firstLayer, ...chosen], shape));
  const { down, up } = optimizer.draw(NO_NOISE);
  expect(down).toEqual(whole.down.subarray(ENTRIES));
  expect(up).toEqual(whole.up.subarray(ENTRIES));
});

it("draws other adapters under noise, and leaves its logits unchanged", () => {
  const optimizer = randomOptimizer(1);
  const before = optimizer.logits.slice();
  const without = optimizer.draw(NO_NOISE).down.slice();
  const noise = Float64Array.from({ length: 4 * SIZE }, (_, place) => (place % SIZE < CHOSEN ? 100 : 0));
  const { down } = optimizer.draw(noise);
  expect(down).not.toEqual(without);
  const all = packMasks([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1], shape);
  expect(down).toEqual(mergeAdapters(pool, all).down.subarray(ENTRIES));
  expect(optimizer.logits).toEqual(before);
});

it("moves each row towards adapters that oppose its gradient", () => {
  for (const row of [0, 1, 2, 3]) {
    const optimizer = randomOptimizer(2);
    const before = optimizer.logits.slice();
    optimizer.draw(NO_NOISE);
    // The gradient is one adapter's matrix: no other adapter is as well aligned with it.
    const along = 3;
    const matrix = new Float32Array(ENTRIES);
    pool.mergeMatrix(2 + row, Uint16Array.of(along, along), matrix);
    const gradient = { down: new Float32Array(2 * ENTRIES), up: new Float32Array(2 * ENTRIES) };
    (row % 2 === 0 ? gradient.down : gradient.up).set(matrix, (row >> 1) * ENTRIES);
    optimizer.step(gradient, 0.1);
    const moved = optimizer.logits.map((logit, place) => logit - (before[place] ?? Number.NaN));
    for (const [place, by] of moved.entries()) {
      if (Math.floor(place / SIZE) !== row) expect(by).toBe(0);
    }
    expect(moved[row * SIZE + along]).toBeCloseTo(-0.1, 3);
    expect(moved.some((by) => by > 0.05)).toBe(true);
  }
});

it("throws on a step before a draw", () => {
  const none = { down: new Float32Array(2 * ENTRIES), up: new Float32Array(2 * ENTRIES) };
  expect(() => randomOptimizer(1).step(none, 0.1)).toThrow("no masks were drawn");
});
