import { expect, it } from "vitest";
import type { Profile } from "../../playground/api/answers.ts";
import { neighboursOf, sharedByChance } from "../../playground/profiles/overlap.ts";
import { readVectors } from "../../playground/profiles/vectors.ts";
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

const TASK = { task: "demo", labels: ["low", "high"] };
const { signal } = new AbortController();

it("orders profiles by the adapters that they share, mask by mask", async () => {
  const vectors = await readVectors(ROWS, TASK, SHAPE, signal);
  expect(await neighboursOf("a", vectors, 5, signal)).toEqual([
    { profile: "c", shared: 3 },
    { profile: "b", shared: 2 },
  ]);
  expect(await neighboursOf("plain", vectors, 5, signal)).toEqual([]);
  expect(vectors.byMasks).toBe(true);
});

it("counts the profiles with masks that choose an adapter", async () => {
  const { popularity: shares } = await readVectors(ROWS, TASK, SHAPE, signal);
  const popularity = [...shares].map((share) => Math.round(3 * share));
  expect(popularity).toEqual([3, 3, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 0, 0, 0, 0]);
});

it("takes label biases where no profile has masks", async () => {
  const rows = [row("plain"), { ...row("biased"), labelBias: toBase64(Uint8Array.of(16, 248)) }];
  const vectors = await readVectors(rows, TASK, SHAPE, signal);
  expect(vectors.byMasks).toBe(false);
  expect(vectors.rows.map((vector) => Array.from(vector))).toEqual([
    [0, 0],
    [1, -0.5],
  ]);
});

it("expects k of k adapters by chance where a mask chooses all", () => {
  expect(sharedByChance({ ...SHAPE, chosen: 8 })).toBe(16);
  expect(sharedByChance(SHAPE)).toBe(1);
});
