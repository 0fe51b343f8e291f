import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../../../node/engine.ts";
import { DEFAULT_BUNDLE } from "../../../../node/files.ts";
import { readManifest } from "../../../../src/bundle/files.ts";
import { mergeAdapters } from "../../../../src/model/merge.ts";
import { countMatrices } from "../../../../src/model/pool/pool.ts";
import { createSignPool } from "../../../../src/model/pool/sign.ts";
import { readTrainedPool } from "../../../../src/model/pool/trained.ts";
import { packMasks } from "../../../../src/profiles/masks.ts";
import golden from "../../../fixtures/golden.json" with { type: "json" };
import { choicesOf, shapes } from "../../../support/arbitraries.ts";
import { compileKernels, engineWith, readBundleFile } from "../../../support/default-bundle.ts";
import { errorWithCode } from "../../../support/errors.ts";
import { maskShapeFrom, poolFile, poolShapeOf, trainedPool } from "../../../support/pools.ts";
import { engineInputs, masksOf, taskOf } from "../../../support/rows.ts";

const kernels = await compileKernels();

/** Returns a pool's bytes in the bundle's format: scales, then int8 steps. */
function packed(scales: Float32Array, steps: Int8Array): Uint8Array {
  const bytes = new Uint8Array(scales.byteLength + steps.length);
  bytes.set(new Uint8Array(scales.buffer));
  bytes.set(new Uint8Array(steps.buffer), scales.byteLength);
  return bytes;
}

const cases = fc
  .record({ shape: shapes, hidden: fc.integer({ min: 1, max: 8 }), bottleneck: fc.integer({ min: 1, max: 6 }) })
  .chain(({ shape, hidden, bottleneck }) => {
    const matrices = 2 * shape.layers * shape.size;
    return fc.record({
      shape: fc.constant({ ...shape, hidden, bottleneck }),
      choices: choicesOf(shape),
      scales: fc.float32Array({ minLength: matrices, maxLength: matrices, min: 0.125, max: 2, noNaN: true }),
      steps: fc.int8Array({ minLength: matrices * hidden * bottleneck, maxLength: matrices * hidden * bottleneck }),
      part: fc.integer({ min: 5, max: 10_000 }),
    });
  });

it("returns the mean of the chosen adapters for any shape and any split into files", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ shape, choices, scales, steps, part }) => {
      const { firstLayer, layers, hidden, bottleneck, size, chosen } = shape;
      const pool = await trainedPool(poolShapeOf(shape, shape), packed(scales, steps), part);
      const merged = mergeAdapters(pool, packMasks(choices, shape), null);
      const entries = hidden * bottleneck;
      for (let row = 0; row < 2 * layers; row++) {
        for (let entry = 0; entry < entries; entry++) {
          const sum = choices.slice(row * chosen, (row + 1) * chosen).reduce((total, adapter) => {
            const matrix = row * size + adapter;
            return total + (scales[matrix] ?? Number.NaN) * (steps[matrix * entries + entry] ?? Number.NaN);
          }, 0);
          const found = (row % 2 === 0 ? merged.down : merged.up)[(firstLayer + (row >> 1)) * entries + entry];
          expect(Math.abs((found ?? Number.NaN) - sum / chosen)).toBeLessThan(1e-4);
        }
      }
    }),
    { numRuns: 40 },
  );
});

it("merges the companion's pool to the same numbers as the companion", async () => {
  const { shape, pool: base64, masks, merged: expected } = golden.trainedMerge;
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
  const pool = await trainedPool(poolShapeOf(maskShapeFrom(shape), shape), bytes(base64));
  const { down, up } = mergeAdapters(pool, bytes(masks), null);
  const flat = { down: expected.flatMap(([side]) => side ?? []), up: expected.flatMap(([, side]) => side ?? []) };
  expect(down.length).toBe(flat.down.length);
  for (const [side, found] of [
    ["down", down],
    ["up", up],
  ] as const) {
    for (const [entry, value] of found.entries()) expect(value).toBeCloseTo(flat[side][entry] ?? Number.NaN, 6);
  }
});

describe("invalid pool files", () => {
  const shape = { layers: 1, hidden: 3, bottleneck: 2, pool: { firstLayer: 0, size: 2, chosen: 1 } };
  const good = packed(new Float32Array(4).fill(0.5), new Int8Array(24).fill(1));

  it("are reported if their size is wrong", async () => {
    await expect(trainedPool(shape, good.slice(1))).rejects.toThrow(errorWithCode("bundle_unusable"));
    await expect(trainedPool(shape, good.slice(1))).rejects.toThrow("have 39 bytes; its sizes need 40");
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("are reported if a scale is %s", async (scale) => {
    const bad = packed(Float32Array.of(0.5, 0.5, scale, 0.5), new Int8Array(24));
    await expect(trainedPool(shape, bad)).rejects.toThrow(errorWithCode("bundle_unusable"));
  });

  it("are reported if one is missing or changed", async () => {
    const files = [poolFile("pool.0", good)];
    await expect(readTrainedPool(shape, files, async () => null, kernels)).rejects.toThrow(
      errorWithCode("bundle_file_missing"),
    );
    const changed = good.with(20, 2);
    await expect(readTrainedPool(shape, files, async () => changed, kernels)).rejects.toThrow(
      errorWithCode("bundle_file_corrupt"),
    );
  });
});

const { manifest } = await readManifest(readBundleFile);

describe("a bundle with a trained pool", () => {
  const { layers, hidden, bottleneck, pool } = manifest;
  const entries = hidden * bottleneck;
  const matrices = countMatrices(manifest);

  /** Returns an engine on the default bundle with its pool replaced: these int8 steps under one scale. */
  async function engineOver(steps: Int8Array, scale: number) {
    const data = packed(new Float32Array(matrices).fill(scale), steps);
    const { size, chosen, firstLayer } = pool;
    const trained = { kind: "trained", size, chosen, firstLayer };
    const files = [...manifest.files, poolFile("pool.0", data)];
    return await engineWith(JSON.stringify({ ...manifest, pool: trained, files }), { "pool.0": data });
  }

  it("gives the same scores as a sign pool with the same adapters", async () => {
    const sign = await loadEngine(DEFAULT_BUNDLE);
    if (pool.kind !== "sign") throw new Error("the default bundle's pool is a sign pool");
    const { signs } = await createSignPool({ layers, hidden, bottleneck, pool }, kernels);
    const steps = Int8Array.from({ length: matrices * entries }, (_, place) => {
      const entry = place % entries;
      const byte = signs[Math.floor(place / entries) * Math.ceil(entries / 8) + (entry >> 3)] ?? 0;
      return (byte >> (entry & 7)) & 1 ? 127 : -127;
    });
    const other = await engineOver(steps, pool.scale / 127);

    const inputs = engineInputs(masksOf(3), { text: "Ferry crews vote to end the strike" });
    const one = await sign.predict(taskOf({ bundle: sign.bundle.id }), inputs);
    const same = await other.predict(taskOf({ bundle: other.bundle.id }), inputs);
    expect(same.predictions[0]?.scores.length).toBe(3);
    for (const [label, score] of (same.predictions[0]?.scores ?? []).entries()) {
      expect(score).toBeCloseTo(one.predictions[0]?.scores[label] ?? Number.NaN, 3);
    }
  });

  it("whose adapters overflow is reported, by a probe and by a prediction", async () => {
    const engine = await engineOver(new Int8Array(matrices * entries).fill(127), 3e38);
    await expect(engine.probe()).rejects.toThrow(errorWithCode("bundle_unusable"));
    const predicting = engine.predict(
      taskOf({ bundle: engine.bundle.id }),
      engineInputs(masksOf(3), { text: "a text" }),
    );
    await expect(predicting).rejects.toThrow(errorWithCode("bundle_unusable"));
  });
});
