import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleAssets } from "../../../functions/platform/assets.ts";
import encoderKernels from "../../../src/model/kernels/encoder.wasm";
import kernels from "../../../src/model/kernels/kernels.wasm";
import { createWebRuntime } from "../../../src/model/web-runtime.ts";
import { createEngine, type Engine } from "../../../src/serving/engine.ts";
import { createPredictor, type PredictRequest } from "../../../src/serving/predictor.ts";
import { createRowCache } from "../../../src/serving/row-cache.ts";
import { createProfileStore } from "../../../src/storage/profile-store.ts";
import { createPush } from "../../../src/storage/push.ts";
import { errorWithCode } from "../../support/errors.ts";
import { masksOf, profilesOf, taskFor } from "../../support/rows.ts";

const db = drizzle(env.DB);
const push = createPush(db);
const store = createProfileStore(db);
const source = { stores: { nearest: store, primary: store }, freshness: "cached", tokenProfile: null } as const;
let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({
    read: bundleAssets(env.ASSETS).read,
    onnx: createWebRuntime(wasm),
    kernels,
    encoderKernels,
  });
});

/** Returns a predict function with an empty cache. */
function predictor() {
  const { predict } = createPredictor({ engine, cache: createRowCache({ maxBytes: 2 ** 20, ttlSeconds: 30 }) });
  return (profile: string, options: Partial<PredictRequest> = {}) =>
    predict({ task: "demo", inputs: [{ profile, text: "Nothing new today" }], ...options }, source);
}

describe("createPredictor", () => {
  it("answers with the generation of the row whose masks it uses", async () => {
    await push(taskFor(engine.bundle), []);
    await push(taskFor(engine.bundle), profilesOf(1));
    const [known] = (await predictor()("demo-000")).predictions;
    expect(known).toMatchObject({ profile: "demo-000", masks: "profile", generation: 1 });
    const [unknown] = (await predictor()("nobody", { onUnknownProfile: "default" })).predictions;
    expect(unknown).toMatchObject({ profile: "nobody", masks: "default", generation: 2 });
  });

  it("answers with the default masks like a profile of the same masks", async () => {
    await push(taskFor(engine.bundle, { masks: masksOf(3) }), [{ id: "same", masks: masksOf(3), labelBias: null }]);
    const predict = predictor();
    const [asDefault] = (await predict("nobody", { onUnknownProfile: "default", logits: true })).predictions;
    const [asProfile] = (await predict("same", { logits: true })).predictions;
    expect(asDefault?.logits).toEqual(asProfile?.logits);
  });

  it("adds a profile's label bias, from the database and from the cache, but none to the default", async () => {
    const masks = masksOf(3);
    await push(taskFor(engine.bundle, { masks }), [
      { id: "plain", masks, labelBias: null },
      { id: "biased", masks, labelBias: Uint8Array.of(0, 0, 127) },
    ]);
    const predict = predictor();
    const scoresOf = async (profile: string) =>
      (await predict(profile, { onUnknownProfile: "default", scores: true })).predictions[0]?.scores;
    const [plain, first, again, unknown] = [
      await scoresOf("plain"),
      await scoresOf("biased"),
      await scoresOf("biased"),
      await scoresOf("nobody"),
    ];
    expect(Math.max(...Object.values(first ?? {}))).toBe(first?.high);
    expect(first).not.toEqual(plain);
    expect(again).toEqual(first);
    expect(unknown).toEqual(plain);
  });

  it("reports an unknown task or profile, and another bundle", async () => {
    await expect(predictor()("demo-000")).rejects.toThrow(errorWithCode("unknown_task"));
    await push(taskFor(engine.bundle, { bundle: "0".repeat(32) }), []);
    await expect(predictor()("demo-000")).rejects.toThrow(errorWithCode("unknown_profile"));
    await expect(predictor()("demo-000", { onUnknownProfile: "default" })).rejects.toThrow(
      errorWithCode("bundle_mismatch"),
    );
  });

  it("reports each step's time, in sum no more than the total", async () => {
    await push(taskFor(engine.bundle), profilesOf(1));
    const inputs = [{ profile: "demo-000", text: "A text that was not read before" }];
    const { total, ...steps } = (await predictor()("demo-000", { inputs })).timings;
    const sum = Object.values(steps).reduce((a, b) => a + b, 0);
    expect(steps.encoder).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual(total + 1);
  });

  it("answers each text separately, with its own error where it fails", async () => {
    await push(taskFor(engine.bundle), [
      ...profilesOf(2),
      { id: "damaged", masks: masksOf(1).slice(1), labelBias: null },
    ]);
    const { predict, predictEach } = createPredictor({
      engine,
      cache: createRowCache({ maxBytes: 2 ** 20, ttlSeconds: 30 }),
    });
    const good = { profile: "demo-001", text: "Nothing new today" };
    const inputs = [
      good,
      { profile: "nobody", text: "Nothing" },
      { profile: "demo-000", text: " " },
      { profile: "damaged", text: "Nothing" },
      good,
    ];
    const answers = await Array.fromAsync(predictEach({ task: "demo", inputs, logits: true }, source));
    const [alone] = (await predict({ task: "demo", inputs: [good], logits: true }, source)).predictions;
    expect(answers).toEqual([
      alone,
      errorWithCode("unknown_profile"),
      errorWithCode("empty_text"),
      errorWithCode("invalid_mask"),
      alone,
    ]);
    await expect(predictEach({ task: "nothing", inputs }, source).next()).rejects.toThrow(
      errorWithCode("unknown_task"),
    );
  });

  it("returns the requested number of labels, best first, at most all", async () => {
    await push(taskFor(engine.bundle), profilesOf(1));
    const [best] = (await predictor()("demo-000", { topK: 2, scores: true })).predictions;
    const [all] = (await predictor()("demo-000", { topK: 9 })).predictions;
    const byScore = Object.entries(best?.scores ?? {}).sort(([, a], [, b]) => b - a);
    expect(all?.top?.map(({ label, score }) => [label, score])).toEqual(byScore);
    expect(best?.top).toEqual(all?.top?.slice(0, 2));
  });
});
