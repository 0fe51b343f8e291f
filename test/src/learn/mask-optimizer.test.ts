import { expect, it } from "vitest";
import { createMaskOptimizer } from "../../../src/learn/mask-optimizer.ts";
import { createRandom } from "../../../src/learn/random.ts";
import { mergeAdapters } from "../../../src/model/merge.ts";
import { createSignPool } from "../../../src/model/pool/sign.ts";
import { packMasks } from "../../../src/profiles/masks.ts";
import { compileKernels } from "../../support/folder.ts";

const SIZE = 6;
const CHOSEN = 2;
const shape = { layers: 3, size: SIZE, chosen: CHOSEN };
const pool = await createSignPool(
  { layers: 3, hidden: 5, bottleneck: 2, pool: { ...shape, seed: 4, scale: 0.5 } },
  await compileKernels(),
);
const ENTRIES = 10;

/** Of the last two layers, logits as drawn by chance. */
function learner(seed: number) {
  const random = createRandom(seed);
  return createMaskOptimizer(pool, 1, Float64Array.from({ length: 4 * SIZE }, random.normal), 1);
}

it("draws what the masks of its layers would be merged to", () => {
  const learning = learner(1);
  const chosen = learning.chosen();
  expect(chosen).toHaveLength(4 * CHOSEN);
  const before = [0, 1, 2, 3];
  const whole = mergeAdapters(pool, packMasks([...before, ...chosen], shape));
  const { down, up } = learning.draw(null);
  expect(down).toEqual(whole.down.subarray(ENTRIES));
  expect(up).toEqual(whole.up.subarray(ENTRIES));
});

it("draws others under noise, and keeps its logits", () => {
  const learning = learner(1);
  const kept = learning.logits.slice();
  const without = learning.draw(null).down.slice();
  const noise = Float64Array.from({ length: 4 * SIZE }, (_, place) => (place % SIZE < CHOSEN ? 100 : 0));
  const { down } = learning.draw(noise);
  expect(down).not.toEqual(without);
  const all = packMasks([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1], shape);
  expect(down).toEqual(mergeAdapters(pool, all).down.subarray(ENTRIES));
  expect(learning.logits).toEqual(kept);
});

it("steps towards adapters that lie against the gradient, each row by its own", () => {
  for (const row of [0, 1, 2, 3]) {
    const learning = learner(2);
    const kept = learning.logits.slice();
    learning.draw(null);
    // The gradient is an adapter's own matrix, so that no other lies so much along it.
    const along = 3;
    const matrix = new Float32Array(ENTRIES);
    pool.mergeMatrix(2 + row, Uint16Array.of(along, along), matrix);
    const gradient = { down: new Float32Array(2 * ENTRIES), up: new Float32Array(2 * ENTRIES) };
    (row % 2 === 0 ? gradient.down : gradient.up).set(matrix, (row >> 1) * ENTRIES);
    learning.step(gradient, 0.1);
    const moved = learning.logits.map((logit, place) => logit - (kept[place] ?? Number.NaN));
    for (const [place, by] of moved.entries()) {
      if (Math.floor(place / SIZE) !== row) expect(by).toBe(0);
    }
    expect(moved[row * SIZE + along]).toBeCloseTo(-0.1, 3);
    expect(moved.some((by) => by > 0.05)).toBe(true);
  }
});

it("cannot step before it has drawn", () => {
  const none = { down: new Float32Array(2 * ENTRIES), up: new Float32Array(2 * ENTRIES) };
  expect(() => learner(1).step(none, 0.1)).toThrow("no masks were drawn");
});
