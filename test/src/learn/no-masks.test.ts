import { beforeAll, describe, expect, it } from "vitest";
import { loadEngine } from "../../../node/engine.ts";
import { DEFAULT_BUNDLE } from "../../../node/files.ts";
import { withInitialMasks } from "../../../src/learn/initial-masks.ts";
import { createRandom } from "../../../src/learn/random.ts";
import { readResiduals, type Start } from "../../../src/learn/reader.ts";
import { createTrainer } from "../../../src/learn/trainer.ts";
import { unpackMasks } from "../../../src/profiles/masks.ts";
import type { Engine } from "../../../src/serving/engine.ts";
import { examplesOf } from "../../support/examples.ts";
import { masksOf, pooledAdapterOf, taskOf } from "../../support/rows.ts";

const NO_MASKS = new Uint8Array();
const START: Start = { profile: null, parts: { masks: NO_MASKS, labelBias: null } };
const SHAPE = { firstLayer: 0, layers: 2, size: 4, chosen: 2 };
const work = { afterText: async () => {}, afterPart: async () => {}, report: () => {} };

let engine: Engine;

beforeAll(async () => {
  engine = await loadEngine(DEFAULT_BUNDLE);
});

it("begins training with the start's masks, or with random ones if it has none", () => {
  const own = { ...START, parts: { masks: masksOf(1), labelBias: null } };
  expect(withInitialMasks(own, SHAPE, createRandom(0)).initialMasks).toBe(own.parts.masks);
  const drawn = [0, 1, 2, 3].map((seed) => withInitialMasks(START, SHAPE, createRandom(seed)).initialMasks);
  for (const masks of drawn) expect(unpackMasks(masks, SHAPE)).toHaveLength(8);
  expect(new Set(drawn.map(String)).size).toBeGreaterThan(1);
});

it("reads residuals under the initial masks, and logits as the start is served", async () => {
  const start = withInitialMasks(START, SHAPE, createRandom(0));
  const read = async (_: unknown, { masks }: { masks: Uint8Array }) => Float32Array.of(masks.length);
  const parts = {
    reader: {
      sharesTrunk: false,
      features: read,
      readToLearn: async (text: unknown, under: { masks: Uint8Array }) => {
        const numbers = await read(text, under);
        return { residual: numbers, features: numbers };
      },
      featuresFrom: (_: unknown, text: unknown, under: { masks: Uint8Array }) => read(text, under),
    },
    taskAdapter: null,
    task: { labels: ["low", "high"], head: Float32Array.of(1, 2, 10, 20), adapter: null },
  };
  const text = { ids: [1, 2, 3], typeIds: [0, 0, 0], empty: false, truncated: false };
  const known = [{ text, target: Float32Array.of(0, 1), residual: null }];
  const [prepared] = await readResiduals(parts as never, start, known as never, work);
  expect(prepared).toMatchObject({ residual: Float32Array.of(4), logits: [10, 20] });
});

it.each([1, 0])("keeps a profile without masks if only its head is trained, on features of %s", async (feature) => {
  const start = withInitialMasks(START, SHAPE, createRandom(0));
  const parts = {
    pool: { layers: 2, hidden: 1, bottleneck: 1, pool: SHAPE },
    firstLayer: 1,
    taskAdapter: null,
    task: { labels: ["low", "high"], head: new Float32Array(4), adapter: null },
  };
  const text = { logits: Float64Array.of(0, 0), features: Float32Array.of(feature), target: Float32Array.of(0, 1) };
  const trainer = createTrainer(parts as never, start, [text, text, text] as never, 1, createRandom(0));
  const { masks, labelBias } = await trainer.trainHead([0, 1, 2], work);
  expect(masks).toEqual(NO_MASKS);
  expect(labelBias?.[1]).toBeGreaterThan(0);
});

describe("learning from a default profile without masks", () => {
  const learn = async (adapter: Uint8Array | null) => {
    const task = { ...taskOf({ bundle: engine.bundle.id, masks: NO_MASKS, adapter }), generation: 1 };
    const examples = examplesOf(10).map(({ text, label }) => ({ input: { text }, label }));
    const hooks = { onProgress: async () => {}, signal: new AbortController().signal, budgetSeconds: 170 };
    return { task, learnt: await engine.learn(task, { examples, starts: [START], passes: 5 }, hooks) };
  };

  it("trains no masks, because training has found that the task needs none", async () => {
    const { task, learnt } = await learn(null);
    expect(learnt).toMatchObject({ kept: "head", passes: 0, start: null, parts: { masks: NO_MASKS } });
    const { predictions } = await engine.predict(task, [{ parts: learnt.parts, input: { text: "A river" } }]);
    expect(predictions).toHaveLength(1);
  });

  it("adds masks if the task has a pool of its own", async () => {
    const { learnt } = await learn(pooledAdapterOf(1));
    expect(learnt.kept).toBe("masks");
    expect(learnt.parts.masks.length).toBeGreaterThan(0);
  });
});
