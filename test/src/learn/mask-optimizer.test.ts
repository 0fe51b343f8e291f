import { describe, expect, it } from "vitest";
import { createMaskOptimizer } from "../../../src/learn/mask-optimizer.ts";
import { createRandom } from "../../../src/learn/random.ts";
import { mergeAdapters } from "../../../src/model/merge.ts";
import { createSignPool } from "../../../src/model/pool/sign.ts";
import { maskShapeOf, packMasks } from "../../../src/profiles/masks.ts";
import { compileKernels } from "../../support/default-bundle.ts";

const SIZE = 6;
const CHOSEN = 2;
const shape = { firstLayer: 0, layers: 3, size: SIZE, chosen: CHOSEN };
const pool = await createSignPool(
  { layers: 3, hidden: 5, bottleneck: 2, pool: { ...shape, seed: 4, scale: 0.5 } },
  await compileKernels(),
);
const ENTRIES = 10;

const NO_NOISE = new Float64Array(4 * SIZE);

/** Returns an optimizer of the last two layers, from random logits. */
function randomOptimizer(seed: number) {
  const logits = Float64Array.from({ length: 4 * SIZE }, createRandom(seed).normal);
  return { ...createMaskOptimizer({ pool, firstLayer: 1, taskAdapter: null }, logits, 1), logits };
}

it("draws the merged adapters of its layers' masks", () => {
  const optimizer = randomOptimizer(1);
  const chosen = optimizer.chosen();
  expect(chosen).toHaveLength(4 * CHOSEN);
  const firstLayer = [0, 1, 2, 3];
  const whole = mergeAdapters(pool, packMasks([...firstLayer, ...chosen], shape), null);
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
  expect(down).toEqual(mergeAdapters(pool, all, null).down.subarray(ENTRIES));
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

describe("with a pool from layer 1 on", async () => {
  const sizes = { layers: 3, hidden: 5, bottleneck: 2 };
  const late = await createSignPool(
    { ...sizes, pool: { firstLayer: 1, size: SIZE, chosen: CHOSEN, seed: 4, scale: 0.5 } },
    await compileKernels(),
  );
  const taskAdapter = {
    scales: Float32Array.of(1, 2, 3, 4, 5, 6),
    steps: Int8Array.from({ length: 6 * ENTRIES }, (_, index) => index - 30),
  };
  const shape = maskShapeOf(late);

  it.each([
    ["before the pool's", 0],
    ["the pool's", 1],
    ["after the pool's", 2],
  ])("and a learning graph whose first layer is %s, draws what is served and learns", (_, firstLayer) => {
    const trained = Math.min(2, 3 - firstLayer);
    const logits = Float64Array.from({ length: 2 * trained * SIZE }, createRandom(3).normal);
    const before = logits.slice();
    const optimizer = createMaskOptimizer({ pool: late, firstLayer, taskAdapter }, logits, 1);
    const frozen = [0, 1, 0, 1].slice(0, 2 * CHOSEN * (2 - trained));
    const masks = packMasks([...frozen, ...optimizer.chosen()], shape);
    const served = mergeAdapters(late, masks, taskAdapter);
    const { down, up } = optimizer.draw(new Float64Array(logits.length));
    expect(down).toEqual(served.down.subarray(firstLayer * ENTRIES));
    expect(up).toEqual(served.up.subarray(firstLayer * ENTRIES));

    // The gradient is an adapter of the last layer, up.
    const matrix = new Float32Array(ENTRIES);
    late.mergeMatrix(3, Uint16Array.of(2, 2), matrix);
    const gradient = { down: new Float32Array(down.length), up: new Float32Array(up.length) };
    gradient.up.set(matrix, up.length - ENTRIES);
    optimizer.step(gradient, 0.1);
    const moved = logits.map((logit, place) => logit - (before[place] ?? Number.NaN));
    expect(moved.subarray(0, -SIZE).every((by) => by === 0)).toBe(true);
    expect(moved[moved.length - SIZE + 2]).toBeCloseTo(-0.1, 3);
  });
});

it("throws on a step before a draw", () => {
  const none = { down: new Float32Array(2 * ENTRIES), up: new Float32Array(2 * ENTRIES) };
  expect(() => randomOptimizer(1).step(none, 0.1)).toThrow("no masks were drawn");
});
