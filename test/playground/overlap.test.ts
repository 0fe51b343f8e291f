import { expect, it } from "vitest";
import type { Profile } from "../../playground/api/answers.ts";
import { neighboursOf, popularityOf, sharedByChance } from "../../playground/profiles/overlap.ts";
import { toBase64 } from "../../src/lib/base64.ts";
import { type MaskShape, packMasks } from "../../src/profiles/masks.ts";

const SHAPE: MaskShape = { firstLayer: 5, layers: 1, size: 8, chosen: 2 };

const row = (profile: string, ...adapters: number[]): Profile => ({
  profile,
  generation: 1,
  updatedAt: "2026-01-01T00:00:00.000Z",
  masks: adapters.length === 0 ? "" : toBase64(packMasks(adapters, SHAPE)),
  labelBias: null,
  maskBytes: 2,
  labelBiasBytes: 0,
});

// Two adapters of the first mask, then two of the second.
const ROWS = [row("a", 0, 1, 0, 1), row("b", 0, 1, 2, 3), row("c", 0, 1, 0, 2), row("plain")];

it("orders profiles by the adapters that they share, mask by mask", () => {
  const [own] = ROWS;
  if (!own) throw new RangeError("There is no row.");
  expect(neighboursOf(own, ROWS, SHAPE, 5)).toEqual([
    { profile: "c", shared: 3 },
    { profile: "b", shared: 2 },
  ]);
  expect(neighboursOf(row("plain"), ROWS, SHAPE, 5)).toEqual([]);
});

it("counts the profiles with masks that choose an adapter", () => {
  const popularity = [...popularityOf(ROWS, SHAPE)].map((share) => Math.round(3 * share));
  expect(popularity).toEqual([3, 3, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 0, 0, 0, 0]);
});

it("expects k of k adapters by chance where a mask chooses all", () => {
  expect(sharedByChance({ ...SHAPE, chosen: 8 })).toBe(16);
  expect(sharedByChance(SHAPE)).toBe(1);
});
