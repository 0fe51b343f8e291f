import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { readAsset } from "../../functions/assets.ts";
import { createEngine, type Engine } from "../../src/engine.ts";
import { createPredictor, type PredictRequest } from "../../src/predictor.ts";
import { createStore } from "../../src/store.ts";
import { named } from "../support/errors.ts";
import { masksOf, profilesOf, taskFor } from "../support/rows.ts";

const store = createStore(drizzle(env.DB));
const REQUEST: PredictRequest = { task: "demo", profile: "demo-000", inputs: [{ text: "Nothing new today" }] };
let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({ read: readAsset(env.ASSETS), wasm });
});

const predictor = (ttlSeconds = 30) => createPredictor({ engine, store, cache: { maxBytes: 2 ** 20, ttlSeconds } });

describe("createPredictor", () => {
  it("answers with the generation of the row whose masks it used", async () => {
    await store.push(taskFor(engine.bundle), []);
    await store.push(taskFor(engine.bundle), profilesOf(1));
    expect(await predictor()(REQUEST)).toMatchObject({ masks: "profile", generation: 1 });
    const unknown = { ...REQUEST, profile: "nobody", onUnknownProfile: "default" } as const;
    expect(await predictor()(unknown)).toMatchObject({ masks: "default", generation: 2, profile: "nobody" });
  });

  it("answers with the default masks as with a profile of the same masks", async () => {
    await store.push(taskFor(engine.bundle, { masks: masksOf(3) }), [
      { id: "same", masks: masksOf(3), labelBias: null },
    ]);
    const predict = predictor();
    const asDefault = await predict({ ...REQUEST, profile: "nobody", onUnknownProfile: "default", scores: true });
    const asProfile = await predict({ ...REQUEST, profile: "same", scores: true });
    expect(asDefault.predictions).toEqual(asProfile.predictions);
  });

  it("adds a profile's label bias, from the database and from memory, and none to the default", async () => {
    const masks = masksOf(3);
    await store.push(taskFor(engine.bundle, { masks }), [
      { id: "plain", masks, labelBias: null },
      { id: "biased", masks, labelBias: Uint8Array.of(0, 0, 127) },
    ]);
    const predict = predictor();
    const scoresOf = async (profile: string) =>
      (await predict({ ...REQUEST, profile, onUnknownProfile: "default", scores: true })).predictions;
    const [plain, first, again, unknown] = [
      await scoresOf("plain"),
      await scoresOf("biased"),
      await scoresOf("biased"),
      await scoresOf("nobody"),
    ];
    expect(first[0]?.label).toBe("high");
    expect(first).not.toEqual(plain);
    expect(again).toEqual(first);
    expect(unknown).toEqual(plain);
  });

  it("names what is not there, and a bundle that is not this one", async () => {
    await expect(predictor()(REQUEST)).rejects.toThrow(named("unknown_task"));
    await store.push(taskFor(engine.bundle, { bundle: "0".repeat(32) }), []);
    await expect(predictor()(REQUEST)).rejects.toThrow(named("unknown_profile"));
    const asDefault = { ...REQUEST, onUnknownProfile: "default" } as const;
    await expect(predictor()(asDefault)).rejects.toThrow(named("bundle_mismatch"));
  });

  it("tells what each step took, none of it more than the whole", async () => {
    await store.push(taskFor(engine.bundle), profilesOf(1));
    const { total, ...steps } = (await predictor()(REQUEST)).timings;
    const sum = Object.values(steps).reduce((a, b) => a + b, 0);
    expect(steps.encoder).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual(total + 1);
  });
});
