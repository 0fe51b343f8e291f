import { expect, it } from "vitest";
import { createRandom } from "../../../src/learn/random.ts";

const DRAWS = 20_000;

/** Returns the mean and standard deviation of many draws. */
function momentsOf(draw: () => number): [number, number] {
  const drawn = Array.from({ length: DRAWS }, draw);
  const mean = drawn.reduce((sum, value) => sum + value, 0) / DRAWS;
  return [mean, Math.sqrt(drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS)];
}

it("draws from the normal and the Gumbel distribution", () => {
  const random = createRandom(5);
  const [mean, deviation] = momentsOf(random.normal);
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(deviation).toBeCloseTo(1, 1);
  const [gumbelMean, gumbelDeviation] = momentsOf(random.gumbel);
  // Euler's constant.
  expect(Math.abs(gumbelMean - 0.5772)).toBeLessThan(0.04);
  expect(Math.abs(gumbelDeviation - Math.PI / Math.sqrt(6))).toBeLessThan(0.04);
});

it("repeats its draws for the same seed", () => {
  const drawn = (seed: number) => {
    const random = createRandom(seed);
    return [random.normal(), random.gumbel(), ...random.shuffled(["a", "b", "c", "d"])];
  };
  expect(drawn(1)).toEqual(drawn(1));
  expect(drawn(1)).not.toEqual(drawn(2));
});

it("shuffles to every order about equally often", () => {
  const random = createRandom(6);
  const counts = new Map<string, number>();
  for (let draw = 0; draw < 6000; draw++) {
    const order = random.shuffled(["a", "b", "c"]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
