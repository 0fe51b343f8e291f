import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { labelLogits, softmax } from "../../src/model/head.ts";
import { type ProfileHead, packProfileHead } from "../../src/profiles/profile-head.ts";
import { readEvents } from "../support/events.ts";
import { examplesOf } from "../support/examples.ts";
import { plainFeatures } from "../support/plain-features.ts";
import { taskFile, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const TEXT = "The committee met again and nobody was surprised.";
const SECRETS = ["medium secret", "other secret"];
const LABELS = ["low", ...SECRETS, "high"];
const KNOWN = ["high", "low"];

const bundle = await readBundle(DEFAULT_BUNDLE);
const task = taskFor(bundle, { labels: LABELS, masks: new Uint8Array() });
const change = [
  { scale: 0.001, left: Int8Array.of(100, -100, 50, -50), right: new Int8Array(384).map((_, i) => (i % 7) * 20 - 60) },
];
/** What a profile changes of the head; without its known labels, unless they are named. */
const headOf = (known: number[] | null = null): ProfileHead => ({ bias: [1, 2, -0.5, 0], change, known });
const base64 = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString("base64");

let worker: RunningWorker;
let features: Float32Array;

beforeAll(async () => {
  worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "0" } });
  await worker.request("PUT", "/v1/tasks/demo", { body: taskFile(task) });
  await put("all", { labelBias: base64(packProfileHead(headOf())) });
  await put("tenant", { labelBias: base64(packProfileHead(headOf())), knownLabels: KNOWN });
  features = await plainFeatures(TEXT, task.maxTokens, null, new Uint8Array());
});
afterAll(() => worker.close());

async function put(profile: string, parts: object) {
  const response = await worker.request("PUT", `/v1/profiles/demo/${profile}`, { body: { masks: "", ...parts } });
  return { status: response.status, body: await response.json<Record<string, unknown>>() };
}

const get = async (profile: string) =>
  await (await worker.get(`/v1/profiles/demo/${profile}`)).json<Record<string, unknown>>();

interface Predicted {
  label: string;
  top: { label: string; score: number }[];
  scores: Record<string, number>;
  logits: Record<string, number>;
}

async function predict(profile: string, key?: string): Promise<Predicted> {
  const body = { task: "demo", profile, inputs: TEXT, topK: 9, scores: true, logits: true };
  const { predictions } = await (await worker.predict(body, key ? { key } : {})).json<{ predictions: [Predicted] }>();
  return predictions[0];
}

const learn = async (profile: string, body: object) => {
  const options = { body: { epochs: 2, start: "default", examples: examplesOf(10), ...body } };
  const response = await worker.request("POST", `/v1/profiles/demo/${profile}/learn`, options);
  if (!response.headers.get("content-type")?.includes("event-stream")) return await response.json();
  return (await readEvents(response)).at(-1)?.data;
};

describe("a profile with a head change", () => {
  it("answers with what its head change adds to the logits", async () => {
    const expected = labelLogits(task, headOf(), features);
    const without = labelLogits(task, { ...headOf(), change: [] }, features);
    expect(Math.abs((expected[0] ?? 0) - (without[0] ?? 0))).toBeGreaterThan(0.1);
    const { logits } = await predict("all");
    expect(Object.keys(logits)).toEqual(LABELS);
    for (const [index, logit] of Object.values(logits).entries()) expect(logit).toBeCloseTo(expected[index] ?? 9e9, 4);
  });
});

describe("a profile with known labels", () => {
  it("is stored in its label bias, and shown by name in the task's order", async () => {
    expect(await get("tenant")).toMatchObject({
      labelBias: base64(packProfileHead(headOf([0, 3]))),
      labelBiasBytes: 4 + (4 + 4 + 384) + 1,
      knownLabels: ["low", "high"],
      headChangeRank: 1,
    });
    expect(await get("all")).toMatchObject({ knownLabels: null, headChangeRank: 1 });
    await put("plain", { knownLabels: ["high"] });
    expect(await get("plain")).toMatchObject({ knownLabels: ["high"], headChangeRank: 0, labelBiasBytes: 5 });
    expect(await predict("plain")).toMatchObject({ label: "high", scores: { high: 1 } });
  });

  it("answers as if the task had no other labels", async () => {
    const all = await predict("all");
    const { label, top, scores, logits } = await predict("tenant");
    const { low, high } = all.logits;
    expect(logits).toEqual({ low, high });
    expect(Object.values(scores)).toEqual(softmax([low ?? 0, high ?? 0]));
    expect(top.map((one) => one.label).toSorted()).toEqual(["high", "low"]);
    expect(top[0]?.label).toBe(label);
  });

  it("has no other labels for clients of Hugging Face and text-embeddings-inference", async () => {
    for (const path of ["/v1/hf/demo/tenant", "/v1/tei/demo/tenant/predict"]) {
      const text = await (await worker.request("POST", path, { body: { inputs: TEXT } })).text();
      expect(text).toMatch(/"high".*"low"|"low".*"high"/);
      for (const secret of SECRETS) expect(text).not.toContain(secret);
    }
    const info = await (await worker.get("/v1/tei/demo/tenant/info")).json();
    const classifier = { id2label: { 0: "low", 1: "high" }, label2id: { low: 0, high: 1 } };
    expect(info).toMatchObject({ model_type: { classifier } });
  });

  it.each(["profile", "all"])("is in a token that carries %s, without the other labels", async (carry) => {
    const response = await worker.request("POST", "/v1/profiles/demo/tenant/token", { body: { carry } });
    const { token } = await response.json<{ token: string }>();
    expect(await predict("tenant", token)).toEqual({ ...(await predict("tenant")), masks: "token" });
    const claims = JSON.stringify(decodeJwt(token));
    for (const secret of SECRETS) expect(claims).not.toContain(secret);
    const info = await (await worker.get("/v1/tei/demo/tenant/info", { key: token })).text();
    for (const secret of SECRETS) expect(info).not.toContain(secret);
  });

  it("may know one label, in a token too", async () => {
    await put("one", { knownLabels: ["low"] });
    const response = await worker.request("POST", "/v1/profiles/demo/one/token", { body: { carry: "all" } });
    const { token } = await response.json<{ token: string }>();
    expect(await predict("one", token)).toMatchObject({ label: "low", scores: { low: 1 } });
  });

  it.each([
    ["a label that the task lacks", { knownLabels: ["low", "none"] }, 422, "unknown_label"],
    ["no label", { knownLabels: [] }, 422, "invalid_request"],
    ["a blob of another length", { labelBias: base64(new Uint8Array(6)) }, 409, "mismatched_write"],
    ["padding bits that are set", { labelBias: base64(Uint8Array.of(0, 0, 0, 0, 16)) }, 409, "mismatched_write"],
  ])("is rejected with %s", async (_, parts, status, code) => {
    expect(await put("bad", parts)).toMatchObject({ status, body: { code } });
  });

  it("shows damage in a stored row", async () => {
    await put("damaged", { knownLabels: ["low"] });
    await worker.db.exec("UPDATE profiles SET label_bias = x'0000000000' WHERE id = 'damaged'");
    for (const path of ["/v1/profiles/demo/damaged", "/v1/tei/demo/damaged/info"]) {
      const problem = await (await worker.get(path)).json<{ detail: string }>();
      expect(problem).toMatchObject({ code: "invalid_label_bias" });
      expect(problem.detail).toContain("known labels, but none is set");
    }
    expect(await get("damaged")).toMatchObject({ hint: expect.stringContaining("GET /v1/tasks/{task}/export") });
    const exported = await (await worker.get("/v1/tasks/demo/export?prefix=damaged")).json();
    expect(exported).toMatchObject({ labelBias: "AAAAAAA=" });
    expect(await learn("damaged", {})).toMatchObject({ code: "invalid_label_bias" });
    // Otherwise learning would try it as a start.
    expect((await worker.request("DELETE", "/v1/profiles/demo/damaged")).status).toBe(200);
  });
});

describe("learning", () => {
  it("learns a profile for some labels, and keeps them", async () => {
    expect(await learn("new", { knownLabels: KNOWN })).toMatchObject({ generation: 1 });
    expect(await get("new")).toMatchObject({ knownLabels: ["low", "high"], headChangeRank: 1 });
    expect(Object.keys((await predict("new")).scores)).toEqual(["low", "high"]);
    expect(await learn("new", {})).toMatchObject({ generation: 2 });
    expect(await get("new")).toMatchObject({ knownLabels: ["low", "high"] });
    await learn("new", { knownLabels: LABELS });
    expect(Object.keys((await predict("new")).scores)).toEqual(LABELS);
  });

  it("keeps the head change and the known labels of the profile that it starts from", async () => {
    await learn("copy", { start: { profile: "tenant" } });
    expect(await get("copy")).toMatchObject({ knownLabels: ["low", "high"], headChangeRank: 1 });
  });

  it("leaves out what a start knows if it tries several", async () => {
    await learn("other", { start: "auto" });
    expect(await get("other")).toMatchObject({ knownLabels: null });
  });

  it("rejects examples of labels that the profile does not know, and names only those that it does", async () => {
    const examples = [...examplesOf(4), { text: "a", label: SECRETS[0] }];
    for (const body of [{ knownLabels: KNOWN }, { start: "own" }]) {
      const problem = await learn("tenant", { ...body, examples });
      expect(problem).toMatchObject({
        code: "unknown_label",
        detail: 'examples[4]: The profile knows no label "medium secret". The profile\'s labels are "low", "high".',
        hint: expect.stringContaining("knownLabels"),
      });
    }
    expect(await learn("tenant", { knownLabels: ["none"] })).toMatchObject({
      code: "unknown_label",
      detail: 'knownLabels[0]: The task has no label "none".',
    });
  });
});
