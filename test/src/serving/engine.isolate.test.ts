import { env } from "cloudflare:workers";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleAssets } from "../../../functions/platform/assets.ts";
import encoderKernels from "../../../src/model/kernels/encoder.wasm";
import kernels from "../../../src/model/kernels/kernels.wasm";
import { createWebRuntime } from "../../../src/model/web-runtime.ts";
import type { Task } from "../../../src/profiles/task.ts";
import { createEngine, type Engine } from "../../../src/serving/engine.ts";
import { engineInputs, masksOf, taskOf } from "../../support/rows.ts";

describe("the engine on the default bundle, inside workerd", () => {
  let engine: Engine;
  let task: Task;

  beforeAll(async () => {
    engine = await createEngine({
      read: bundleAssets(env.ASSETS).read,
      onnx: createWebRuntime(wasm),
      kernels,
      encoderKernels,
    });
    task = { ...taskOf({ bundle: engine.bundle.id, maxTokens: 128 }), generation: 1 };
  });

  const label = async (masks: Uint8Array, ...texts: string[]) => {
    const { predictions } = await engine.predict(task, engineInputs(masks, ...texts.map((text) => ({ text }))));
    return predictions;
  };

  it("labels a text", async () => {
    const [prediction] = await label(task.masks, "The river froze over for the first time in forty years");
    expect(task.labels).toContain(prediction?.label);
    expect(prediction?.score).toBe(Math.max(...(prediction?.scores ?? [])));
    expect(prediction).toMatchObject({ tokens: 13, truncated: false });
  });

  it("gives a text the same bits, alone or in a batch, with cached or newly merged adapters", async () => {
    const text = "Shares fell after the bank's report";
    const masks = masksOf(2);
    const [alone] = await label(masks, text);
    for (let seed = 100; seed < 120; seed++) await label(masksOf(seed), "pushes the first out of the cache");
    const batch = await label(masks, "First", text, "A much longer text that stands beside it, and another");
    expect(batch[1]).toEqual(alone);
  });

  it("answers two profiles differently", async () => {
    const text = "The striker scored twice before the break";
    const [first] = await label(masksOf(3), text);
    const [second] = await label(masksOf(4), text);
    expect(first?.scores).not.toEqual(second?.scores);
  });

  it("gives concurrent calls the same answers as sequential ones", async () => {
    const calls = Array.from({ length: 6 }, (_, i) => ({
      masks: masksOf(10 + i),
      text: `${"word ".repeat(i * 3)}end`,
    }));
    const together = await Promise.all(calls.map(({ masks, text }) => label(masks, text)));
    for (const [i, { masks, text }] of calls.entries()) expect(await label(masks, text)).toEqual(together[i]);
  });

  it("stays within 64 MB of WASM heap over 50 mixed predictions", async () => {
    const text = "All the words that a long text can have, again and again. ".repeat(12);
    for (let i = 0; i < 50; i++) await label(masksOf(1000 + (i % 25)), text.slice(0, 10 + ((i * 61) % 600)));
    const megabytes = engine.heapBytes() / 2 ** 20;
    console.info(`WASM heap after 50 mixed predictions: ${megabytes.toFixed(1)} MB`);
    expect(megabytes).toBeGreaterThan(16);
    expect(megabytes).toBeLessThanOrEqual(64);
  });
});
