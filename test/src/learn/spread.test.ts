import { expect, it } from "vitest";
import type { Start } from "../../../src/learn/reader.ts";
import { RECIPE } from "../../../src/learn/recipe.ts";
import { spreadOf } from "../../../src/learn/spread.ts";

const SHAPE = { labels: 2, hidden: 3 };
const startOf = (profile: string | null, labelBias: Uint8Array | null): Start => ({
  profile,
  parts: { masks: new Uint8Array(), labelBias },
});
/** Profiles with a label bias of a number of sixteenths on each side of 0. */
const profiles = (sixteenths: number, count: number) =>
  Array.from({ length: count }, (_, place) => startOf(`p${place}`, Uint8Array.of(sixteenths, 256 - sixteenths)));

it("is the root mean square of the known profiles' label biases", () => {
  expect(spreadOf(profiles(4, 8), SHAPE)).toBeCloseTo(0.25);
  // Profiles without a label bias, and the task's default, say nothing of it.
  expect(
    spreadOf(
      [
        startOf(null, Uint8Array.of(99, 99)),
        startOf("none", null),
        startOf("damaged", Uint8Array.of(9)),
        startOf("zeros", new Uint8Array(2)),
        ...profiles(4, 8),
      ],
      SHAPE,
    ),
  ).toBeCloseTo(0.25);
});

it("is not very small, and the usual one if profiles differ", () => {
  expect(spreadOf(profiles(1, 8), SHAPE)).toBe(0.1);
  expect(spreadOf(profiles(8, 8), SHAPE)).toBe(RECIPE.biasSpread);
  expect(spreadOf(profiles(100, 8), SHAPE)).toBe(RECIPE.biasSpread);
  expect(spreadOf(profiles(4, 7), SHAPE)).toBe(RECIPE.biasSpread);
});
