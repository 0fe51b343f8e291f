import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readBundle } from "../../../../node/files.ts";
import type { Bundle } from "../../../../src/bundle/manifest.ts";
import { ENGINE_NAME } from "../../../support/engine-choice.ts";
import { masksOf, profilesOf, taskFor } from "../../../support/rows.ts";
import { type RunningWorker, startWorker } from "../../../support/worker.ts";

const TEXT = "The committee met again and nobody was surprised.";

let worker: RunningWorker;
let bundle: Bundle;

beforeAll(async () => {
  bundle = await readBundle("bundles/minilm-l6-v2");
  worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "1" } });
  await worker.push(taskFor(bundle), profilesOf(20));
});
afterAll(() => worker.close());

// biome-ignore lint/suspicious/noExplicitAny: the answers are what is under test
const answer = async (response: Response): Promise<any> => {
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.status).toBe(200);
  return response.json();
};

const request = (parts: object) => ({ task: "demo", profile: "demo-000", inputs: TEXT, ...parts });

describe("POST /v1/predict", () => {
  it("answers one text, with task, profile, generation, bundle and engine", async () => {
    const body = await answer(await worker.predict(request({})));
    expect(body).toEqual({
      task: "demo",
      bundle: bundle.id,
      engine: ENGINE_NAME,
      predictions: [
        {
          profile: "demo-000",
          masks: "profile",
          generation: 1,
          label: expect.stringMatching(/^(low|middle|high)$/),
          score: expect.any(Number),
          tokens: 11,
          truncated: false,
        },
      ],
      timings: Object.fromEntries(
        ["masks", "tokenize", "merge", "encoder", "head", "total"].map((step) => [step, expect.any(Number)]),
      ),
    });
  });

  it("answers texts in order, each like a single call", async () => {
    const inputs = [TEXT, { text: "Short." }, { text: "One.", textPair: "Another." }, "word ".repeat(100)];
    const together = await answer(await worker.predict(request({ inputs, scores: true })));
    expect(together.predictions).toHaveLength(4);
    expect(together.predictions[3]).toMatchObject({ tokens: 32, truncated: true });
    for (const [place, input] of inputs.entries()) {
      const alone = await answer(await worker.predict(request({ inputs: input, scores: true })));
      expect(together.predictions[place]).toEqual(alone.predictions[0]);
    }
  });

  it("returns the scores of all labels on request", async () => {
    const { predictions } = await answer(await worker.predict(request({ scores: true })));
    const { label, score, scores } = predictions[0];
    expect(Object.keys(scores)).toEqual(["low", "middle", "high"]);
    expect(scores[label]).toBe(score);
    expect(score).toBe(Math.max(...(Object.values(scores) as number[])));
    expect(scores.low + scores.middle + scores.high).toBeCloseTo(1, 5);
  });

  it("answers with the requested profile", async () => {
    const scoresOf = async (profile: string) =>
      (await answer(await worker.predict(request({ profile, scores: true })))).predictions[0].scores;
    const first = await scoresOf("demo-000");
    expect(await scoresOf("demo-001")).not.toEqual(first);
    expect(await scoresOf("demo-000")).toEqual(first);
  });

  it("uses the task's default masks only on request, and says so", async () => {
    const unknown = await worker.predict(request({ profile: "nobody" }));
    expect(unknown.status).toBe(404);
    const body = await answer(await worker.predict(request({ profile: "nobody", onUnknownProfile: "default" })));
    expect(body.predictions).toMatchObject([{ profile: "nobody", masks: "default", generation: 1 }]);
    const known = await answer(await worker.predict(request({ onUnknownProfile: "default" })));
    expect(known.predictions).toMatchObject([{ profile: "demo-000", masks: "profile" }]);
  });

  it("answers concurrent requests like sequential ones", async () => {
    const predict = async (index: number) => {
      const profile = `demo-${String(index % 20).padStart(3, "0")}`;
      const inputs = `Text number ${index} of ${"many ".repeat(index)}`;
      return (await answer(await worker.predict(request({ profile, inputs, scores: true })))).predictions;
    };
    const indices = Array.from({ length: 24 }, (_, index) => index);
    const together = await Promise.all(indices.map(predict));
    for (const index of [0, 13, 23]) expect(together[index]).toEqual(await predict(index));
  });

  it("answers with new masks after the TTL", async () => {
    const [profile] = profilesOf(1);
    await answer(await worker.predict(request({})));
    // A request that ends right after its rows are read must not stop the cache's clock.
    expect((await worker.predict(request({ inputs: "" }))).status).toBe(422);
    await worker.push(taskFor(bundle), [{ id: profile?.id ?? "", masks: masksOf(500), labelBias: null }]);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(await answer(await worker.predict(request({})))).toMatchObject({ predictions: [{ generation: 2 }] });
  });

  it("bypasses the cache on Cache-Control: no-cache", async () => {
    // Its TTL is that of the deploy: no entry expires during the test.
    const caching = await startWorker();
    onTestFinished(() => caching.close());
    await caching.push(taskFor(bundle), profilesOf(1));
    const predict = (headers = {}) => caching.predict(request({}), { headers });
    await answer(await predict());
    await caching.push(taskFor(bundle), [{ id: "demo-000", masks: masksOf(501), labelBias: null }]);
    expect(await answer(await predict())).toMatchObject({ predictions: [{ generation: 1 }] });
    const fresh = { "cache-control": "max-age=0, No-Cache" };
    expect(await answer(await predict(fresh))).toMatchObject({ predictions: [{ generation: 2 }] });
    expect(await answer(await predict())).toMatchObject({ predictions: [{ generation: 2 }] });
  });

  it("reports timings in a header", async () => {
    const response = await worker.predict(request({}));
    const steps = (response.headers.get("server-timing") ?? "").split(",").map((step) => step.split(";")[0]);
    expect(steps).toEqual(["masks", "tokenize", "merge", "encoder", "head", "total"]);
  });

  it("returns the best labels and all logits on request", async () => {
    const { predictions } = await answer(await worker.predict(request({ topK: 2, logits: true, scores: true })));
    const [{ top, logits, scores, label, score }] = predictions;
    expect(top).toHaveLength(2);
    expect(top[0]).toEqual({ label, score });
    expect(Object.keys(logits)).toEqual(["low", "middle", "high"]);
    const ratio = Math.exp(logits.low - logits.high);
    expect(scores.low / scores.high).toBeCloseTo(ratio, 9);
  });

  it("rejects a long text if truncation is off", async () => {
    const response = await worker.predict(request({ inputs: ["short", "word ".repeat(100)], truncate: false }));
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: "text_too_long", detail: expect.stringMatching(/1.*32/) });
  });

  it("accepts 64 texts of nearly 1 KB each", async () => {
    const inputs = Array.from({ length: 64 }, () => "word ".repeat(190));
    const { predictions } = await answer(await worker.predict(request({ inputs })));
    expect(predictions).toHaveLength(64);
  });
});
