import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { loadEngine } from "../../../node/engine.ts";
import { DEFAULT_BUNDLE } from "../../../node/files.ts";
import { createAdapterReader } from "../../../src/model/adapter-reader.ts";
import { softmax } from "../../../src/model/head.ts";
import { matrixOf, mergeAdapters } from "../../../src/model/merge.ts";
import { createSignPool, type SignPool } from "../../../src/model/pool/sign.ts";
import { packMasks, unpackMasks } from "../../../src/profiles/masks.ts";
import { profileTaskOf } from "../../../src/profiles/profile-task.ts";
import type { Task } from "../../../src/profiles/task.ts";
import { readTaskAdapter } from "../../../src/profiles/task-adapter.ts";
import type { Engine } from "../../../src/serving/engine.ts";
import type { Prediction } from "../../../src/serving/prediction.ts";
import golden from "../../fixtures/golden.json" with { type: "json" };
import { compileKernels, engineWith } from "../../support/default-bundle.ts";
import { maskShapeFrom, poolShapeOf, trainedPool } from "../../support/pools.ts";

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

describe.each(golden.merges)(
  "the companion's pool of $shape.size adapters of $shape.hidden by $shape.bottleneck",
  (merge) => {
    const { hidden, bottleneck } = merge.shape;
    const shape = maskShapeFrom(merge.shape);
    const masks = bytes(merge.masks);
    let pool: SignPool;

    beforeAll(async () => {
      const { pool: sizes, ...encoder } = poolShapeOf(shape, merge.shape);
      const spec = { ...encoder, pool: { ...sizes, seed: merge.seed, scale: merge.scale } };
      pool = await createSignPool(spec, await compileKernels());
    });

    it("has the same bits", () => {
      expect(createHash("sha256").update(pool.signs).digest("hex")).toBe(merge.poolSha256);
    });

    it("has masks that choose the same adapters", () => {
      expect([...unpackMasks(masks, shape)]).toEqual(merge.ones.flat(2));
      expect(packMasks(merge.ones.flat(2), shape)).toEqual(masks);
    });

    it("merges to the same numbers", () => {
      const { down, up } = mergeAdapters(pool, masks, null);
      for (const [layer, sides] of merge.merged.entries()) {
        for (const [merged, expected] of [
          [down, sides[0]],
          [up, sides[1]],
        ] as const) {
          const start = (shape.firstLayer + layer) * hidden * bottleneck;
          const found = merged.subarray(start, start + (expected?.length ?? 0));
          expect(found.length).toBeGreaterThan(0);
          for (const [entry, value] of found.entries()) expect(value).toBeCloseTo(expected?.[entry] ?? Number.NaN, 6);
        }
      }
    });
  },
);

describe.each(golden.adaptedMerges.map((merge) => ({ kind: merge.pool === undefined ? "sign" : "trained", merge })))(
  "the companion's merge of a task's adapter and a $kind pool from a later layer on",
  ({ merge }) => {
    const { shape, adapter, masks } = merge;

    it("has the same numbers", async () => {
      const sizes = poolShapeOf(maskShapeFrom(shape), shape);
      const signs = { ...sizes, pool: { ...sizes.pool, seed: merge.seed ?? 0, scale: merge.scale ?? 0 } };
      const pool = merge.pool
        ? await trainedPool(sizes, bytes(merge.pool))
        : await createSignPool(signs, await compileKernels());
      const merged = mergeAdapters(pool, bytes(masks), readTaskAdapter(bytes(adapter), sizes));
      for (const [row, expected] of merge.merged.flat().entries()) {
        const matrix = matrixOf(merged, row, shape);
        expect(matrix.length).toBe(expected.length);
        for (const [entry, value] of matrix.entries()) expect(value).toBeCloseTo(expected[entry] ?? Number.NaN, 6);
      }
    });
  },
);

it("the companion's merges over a task's own pool have the same numbers", async () => {
  expect(golden.pooledMerges.map(({ masks }) => masks === "")).toEqual([false, false, true]);
  for (const { shape, adapter, masks, merged: companions } of golden.pooledMerges) {
    const sizes = poolShapeOf(maskShapeFrom(shape), shape);
    const task = await createAdapterReader(sizes)(bytes(adapter));
    if (!task?.pool) throw new Error("the task has a pool of its own");
    const merged = mergeAdapters(task.pool, bytes(masks), task);
    for (const [row, expected] of companions.flat().entries()) {
      const matrix = matrixOf(merged, row, shape);
      expect(matrix.length).toBe(expected.length);
      for (const [entry, value] of matrix.entries()) expect(value).toBeCloseTo(expected[entry] ?? Number.NaN, 6);
    }
  }
});

/** Predictions that the companion computed in fp32. */
interface CompanionCase {
  readonly task: {
    readonly labels: readonly string[];
    readonly maxTokens: number;
    readonly head: string;
    readonly masks: readonly string[];
    readonly adapter?: string;
    readonly labelBiases: readonly (string | null)[];
  };
  readonly bundle: string;
  readonly predictions: readonly {
    readonly text: number;
    readonly masks: number;
    /** Null for a label that the profile does not know. */
    readonly logits: readonly (number | null)[];
  }[];
}

/** Returns the task of a case, under its first masks. */
function taskOf({ bundle, task: { labels, maxTokens, head, masks, adapter } }: CompanionCase): Task {
  return {
    name: "golden",
    bundle,
    labels,
    maxTokens,
    head: new Float32Array(bytes(head).buffer),
    masks: bytes(masks[0] ?? ""),
    adapter: adapter ? bytes(adapter) : null,
    generation: 1,
  };
}

/** Returns the edge's predictions of a case, in order. */
async function predictCase(engine: Engine, companion: CompanionCase): Promise<Prediction[]> {
  const task = taskOf(companion);
  const predictions: Prediction[] = [];
  for (const { text, masks } of companion.predictions) {
    const bias = companion.task.labelBiases[masks];
    const parts = { masks: bytes(companion.task.masks[masks] ?? ""), labelBias: bias ? bytes(bias) : null };
    const input = { text: golden.texts[text] ?? "" };
    predictions.push(...(await engine.predict(task, [{ parts, input }])).predictions);
  }
  return predictions;
}

/** Returns by how much a score of each prediction differs from the companion's, at most. */
function scoreGaps({ predictions }: CompanionCase, served: readonly Prediction[]): number[] {
  return predictions.map(({ logits }, index) => {
    const scores = softmax(logits.filter((logit) => logit !== null));
    const { scores: servedScores = [] } = served[index] ?? {};
    expect(servedScores).toHaveLength(scores.length);
    return Math.max(...scores.map((score, label) => Math.abs(score - (servedScores[label] ?? Number.NaN))));
  });
}

const mean = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one) / numbers.length;

describe.each([
  // Quantized activations change a score by at most 0.058 and 0.027 here, by less than 0.01 on average.
  ["kernels", "auto", 0.08],
  ["onnxruntime", "onnxruntime", 0.05],
] as const)("the companion's predictions in fp32, by %s", (name, choice, greatest) => {
  let engine: Engine;
  let predictions: Prediction[];

  beforeAll(async () => {
    engine = await loadEngine(DEFAULT_BUNDLE, choice);
    predictions = await predictCase(engine, golden);
  });

  it("are of the default bundle", () => {
    expect([engine.bundle.id, engine.name]).toEqual([golden.bundle, name]);
  });

  // Integer products and WebAssembly's arithmetic are the same on every machine, so a changed bit is a changed answer.
  // If a change is intended (another bundle, kernels or ONNX Runtime), `npx vitest run test/src/serving/golden.test.ts -u`
  // writes the file, and the changelog says so.
  it("are served bit for bit as before", async () => {
    const lines = golden.predictions.map(({ text, masks: row }, index) => {
      const { label, logits } = predictions[index] ?? { label: "", logits: [] };
      return `text ${text}, masks ${row}: ${label}, ${logits.join(" ")}\n`;
    });
    await expect(lines.join("")).toMatchFileSnapshot(`../../fixtures/served-${name}.txt`);
  });

  it("have only the labels that the profile knows", () => {
    const labels = golden.predictions.map(({ logits }) =>
      golden.task.labels.filter((_, label) => logits[label] !== null),
    );
    expect(predictions.map((prediction) => prediction.labels)).toEqual(labels);
    expect(new Set(labels.map(({ length }) => length))).toEqual(new Set([2, 3]));
  });

  it("are close in int8", () => {
    const gaps = scoreGaps(golden, predictions);
    // Another profile's masks and label bias change a score by up to 0.57, by 0.24 on average.
    expect(Math.max(...gaps)).toBeLessThan(greatest);
    expect(mean(gaps)).toBeLessThan(0.02);
  });
});

describe("the companion's predictions with masks in every layer and a task's adapter", () => {
  const { allLayers } = golden;

  it("are close in int8, and far from those without the adapter", async () => {
    const engine = await engineWith(allLayers.manifest);
    expect(engine.bundle.id).toBe(allLayers.bundle);
    const gaps = scoreGaps(allLayers, await predictCase(engine, allLayers));
    expect(Math.max(...gaps)).toBeLessThan(0.05);
    expect(mean(gaps)).toBeLessThan(0.02);
    const { adapter: _, ...task } = allLayers.task;
    const without = { ...allLayers, task };
    expect(mean(scoreGaps(without, await predictCase(engine, without)))).toBeGreaterThan(0.04);
  });

  it("are of a head with the same hash", async () => {
    expect((await profileTaskOf(taskOf(allLayers))).headHash).toBe(allLayers.headHash);
  });
});
