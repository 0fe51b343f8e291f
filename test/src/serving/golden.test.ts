import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { loadEngine } from "../../../node/engine.ts";
import { DEFAULT_BUNDLE } from "../../../node/files.ts";
import { mergeAdapters } from "../../../src/model/merge.ts";
import { createSignPool, type SignPool } from "../../../src/model/pool/sign.ts";
import { packMasks, unpackMasks } from "../../../src/profiles/masks.ts";
import type { Task } from "../../../src/profiles/task.ts";
import type { Engine } from "../../../src/serving/engine.ts";
import type { Prediction } from "../../../src/serving/label-texts.ts";
import golden from "../../fixtures/golden.json" with { type: "json" };
import { compileKernels } from "../../support/default-bundle.ts";
import { maskShapeFrom, poolShapeOf } from "../../support/pools.ts";

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

describe("the companion's predictions in fp32", () => {
  let engine: Engine;
  let predictions: Prediction[];

  beforeAll(async () => {
    engine = await loadEngine(DEFAULT_BUNDLE);
    const { labels, maxTokens, head, masks, labelBiases } = golden.task;
    const task: Task = {
      name: "golden",
      bundle: golden.bundle,
      labels,
      maxTokens,
      head: new Float32Array(bytes(head).buffer),
      masks: bytes(masks[0] ?? ""),
      adapter: null,
      generation: 1,
    };
    predictions = [];
    const profiles = masks.map((blob, row) => {
      const bias = labelBiases[row];
      return { masks: bytes(blob), labelBias: bias ? bytes(bias) : null };
    });
    for (const { text, masks: row } of golden.predictions) {
      const parts = profiles[row];
      const input = { text: golden.texts[text] ?? "" };
      if (parts) predictions.push(...(await engine.predict(task, [{ parts, input }])).predictions);
    }
  });

  it("are of the default bundle", () => {
    expect(golden.bundle).toBe(engine.bundle.id);
  });

  // Integer products and WebAssembly's arithmetic are the same on every machine, so a changed bit is a changed answer.
  // If a change is intended (another bundle or ONNX Runtime), `npx vitest run test/src/serving/golden.test.ts -u`
  // writes the file, and the changelog says so.
  it("are served bit for bit as before", async () => {
    const lines = golden.predictions.map(({ text, masks: row }, index) => {
      const { label, logits } = predictions[index] ?? { label: "", logits: [] };
      return `text ${text}, masks ${row}: ${label}, ${logits.join(" ")}\n`;
    });
    await expect(lines.join("")).toMatchFileSnapshot("../../fixtures/served.txt");
  });

  it("are close in int8", () => {
    const gaps = golden.predictions.map(({ logits }, index) => {
      const powers = logits.map(Math.exp);
      const sum = powers.reduce((total, power) => total + power);
      const scores = predictions[index]?.scores ?? [];
      return Math.max(...powers.map((power, label) => Math.abs(power / sum - (scores[label] ?? Number.NaN))));
    });
    // Quantized activations change a score by at most 0.035 here, by 0.012 on average. Another profile's masks
    // change it by up to 0.28, by 0.11 on average.
    expect(Math.max(...gaps)).toBeLessThan(0.05);
    expect(gaps.reduce((total, gap) => total + gap) / gaps.length).toBeLessThan(0.02);
  });
});
