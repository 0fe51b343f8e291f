import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { labelLogits } from "../../src/model/head.ts";
import { plainFeatures } from "../support/plain-features.ts";
import { adapterOf, masksOf, taskFile, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const TEXT = "The committee met again and nobody was surprised.";
const BIAS = Float32Array.of(1, -0.5, 0);
const LABEL_BIAS = Buffer.from(Int8Array.of(16, -8, 0)).toString("base64");
const NDJSON = { "content-type": "application/x-ndjson" };

const bundle = await readBundle(DEFAULT_BUNDLE);
const plain = taskFor(bundle, { name: "plain", masks: new Uint8Array() });
const adapted = { ...plain, name: "adapted", adapter: adapterOf(1) };

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "0" } });
  for (const task of [plain, adapted]) {
    expect((await worker.request("PUT", `/v1/tasks/${task.name}`, { body: taskFile(task) })).status).toBe(200);
    const body = { masks: "", labelBias: LABEL_BIAS };
    expect((await worker.request("PUT", `/v1/profiles/${task.name}/anna`, { body })).status).toBe(200);
  }
});
afterAll(() => worker.close());

async function predictionOf(body: object, key?: string) {
  const response = await worker.predict({ inputs: TEXT, logits: true, ...body }, key === undefined ? {} : { key });
  const { predictions } = await response.json<{ predictions: { logits: object; masks: string }[] }>();
  return predictions[0];
}

it.each([
  ["the PLM alone", plain],
  ["the task's adapter alone", adapted],
])("predicts by %s, and adds the label bias", async (_, task) => {
  const { name, adapter } = task;
  const features = await plainFeatures(TEXT, plain.maxTokens, adapter, new Uint8Array());
  const expected = (bias: Float32Array | null) => {
    const [low, middle, high] = labelLogits(task, bias && { bias, change: [], known: null }, features).map((logit) =>
      expect.closeTo(logit, 4),
    );
    return { low, middle, high };
  };
  const profile = await predictionOf({ task: name, profile: "anna" });
  expect(profile).toMatchObject({ masks: "profile", logits: expected(BIAS) });
  const unknown = await predictionOf({ task: name, profile: "nobody", onUnknownProfile: "default" });
  expect(unknown).toMatchObject({ masks: "default", logits: expected(null) });
  const response = await worker.request("POST", `/v1/profiles/${name}/anna/token`, { body: {} });
  const { token } = await response.json<{ token: string }>();
  const own = await predictionOf({ task: name, profile: "anna" }, token);
  expect(own).toMatchObject({ masks: "token", logits: expected(BIAS) });
});

it("returns what was written, and rolls back to it", async () => {
  expect(await (await worker.get("/v1/tasks/plain")).json()).toEqual(JSON.parse(taskFile(plain)));
  const read = async () => (await worker.get("/v1/profiles/plain/anna")).json();
  const row = { masks: "", maskBytes: 0, labelBias: LABEL_BIAS, labelBiasBytes: 3 };
  expect(await read()).toMatchObject({ ...row, generation: 1 });
  const masks = Buffer.from(masksOf(1)).toString("base64");
  await worker.request("PUT", "/v1/profiles/plain/anna", { body: { masks } });
  expect(await read()).toMatchObject({ masks, labelBias: null, generation: 2 });
  expect(await (await worker.get("/v1/profiles/plain/anna/history")).json()).toMatchObject({
    earlier: [{ maskBytes: 0, labelBiasBytes: 3 }],
  });
  await worker.request("POST", "/v1/profiles/plain/anna/rollback", { body: { generation: 1 } });
  expect(await read()).toMatchObject({ ...row, generation: 3 });
});

it("exports lines that an import restores", async () => {
  const exported = async () => (await worker.get("/v1/tasks/adapted/export")).text();
  const file = await exported();
  expect(JSON.parse(file)).toMatchObject({ profile: "anna", masks: "", labelBias: LABEL_BIAS });
  const send = async () => {
    const response = await worker.request("POST", "/v1/tasks/adapted/import", { body: file, headers: NDJSON });
    return JSON.parse((await response.text()).split("\n", 1)[0] ?? "");
  };
  expect(await send()).toMatchObject({ status: "unchanged" });
  await worker.request("DELETE", "/v1/profiles/adapted/anna");
  expect(await exported()).toBe("");
  expect(await send()).toMatchObject({ status: "created" });
  expect(await exported()).toBe(file);
});

it("rejects masks that are one byte too short", async () => {
  const masks = Buffer.from(masksOf(1).subarray(1)).toString("base64");
  const response = await worker.request("PUT", "/v1/profiles/plain/short", { body: { masks } });
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({ code: "mismatched_write" });
});
