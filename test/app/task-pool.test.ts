import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { labelLogits } from "../../src/model/head.ts";
import { readEvents } from "../support/events.ts";
import { examplesOf } from "../support/examples.ts";
import { plainFeatures } from "../support/plain-features.ts";
import { adapterOf, masksOf, POOLED_SHAPE, pooledAdapterOf, profilesOf, taskFile, taskFor } from "../support/rows.ts";
import { runCli } from "../support/run-cli.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const TEXT = "The committee met again and nobody was surprised.";

const bundle = await readBundle(DEFAULT_BUNDLE);
const plain = taskFor(bundle, { name: "plain", adapter: adapterOf(1) });
const pooled = taskFor(bundle, { name: "pooled", masks: new Uint8Array(), adapter: pooledAdapterOf(1) });
const profiles = profilesOf(2, POOLED_SHAPE);

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker();
  await worker.push(plain, profilesOf(1));
  const created = await worker.request("PUT", "/v1/tasks/pooled", { body: taskFile(pooled) });
  expect(created.status).toBe(200);
  for (const { id, masks } of profiles) {
    const body = { masks: base64(masks) };
    expect((await worker.request("PUT", `/v1/profiles/pooled/${id}`, { body })).status).toBe(200);
  }
});
afterAll(() => worker.close());

async function predictionOf(profile: string, { task = "pooled", key }: { task?: string; key?: string } = {}) {
  const body = { task, profile, inputs: TEXT, logits: true, onUnknownProfile: key ? undefined : "default" };
  const response = await worker.predict(body, key ? { key } : {});
  const { predictions } = await response.json<{ predictions: { logits: object; masks: string }[] }>();
  return predictions[0];
}

/** Returns the logits that the formats define for masks of the pooled task. */
async function logitsOf(masks: Uint8Array) {
  const features = await plainFeatures(TEXT, pooled.maxTokens, pooled.adapter, masks);
  const [low, middle, high] = labelLogits(pooled, null, features).map((logit) => expect.closeTo(logit, 4));
  return { low, middle, high };
}

describe("a task with a pool of its own", () => {
  it("predicts by its pool, each profile by its masks, beside a task that uses the bundle's", async () => {
    const before = await predictionOf("demo-000", { task: "plain" });
    for (const { id, masks } of profiles) {
      expect(await predictionOf(id)).toMatchObject({ masks: "profile", logits: await logitsOf(masks) });
    }
    const [first, second] = [await predictionOf("demo-000"), await predictionOf("demo-001")];
    expect(first?.logits).not.toEqual(second?.logits);
    const none = await predictionOf("nobody");
    expect(none).toMatchObject({ masks: "default", logits: await logitsOf(new Uint8Array()) });
    expect(await predictionOf("demo-000", { task: "plain" })).toEqual(before);
    const { caches } = await (await worker.get("/v1/info")).json<{ caches: { rows: { bytes: number } } }>();
    expect(caches.rows.bytes).toBeGreaterThan(pooled.adapter?.length ?? 0);
  });

  it("returns what was written", async () => {
    expect(await (await worker.get("/v1/tasks/pooled")).json()).toEqual(JSON.parse(taskFile(pooled)));
    const [profile] = profiles;
    const row = await (await worker.get("/v1/profiles/pooled/demo-000")).json();
    expect(row).toMatchObject({ masks: base64(profile?.masks ?? new Uint8Array()), maskBytes: 8 });
  });

  it("draws masks over its pool on the command line", async () => {
    const variables = { XPEFT_URL: String(worker.url), XPEFT_KEY: worker.adminKey, NO_COLOR: "1" };
    const { stdout } = await runCli(["profiles", "show", "pooled", "demo-000", "--masks"], variables);
    const rows = stdout.split("\n").filter((line) => /^5 (down|up )/.test(line));
    expect(rows.map((row) => [row.match(/[●·]/g)?.length, row.match(/●/g)?.length])).toEqual([
      [32, 16],
      [32, 16],
    ]);
  });

  it("makes tokens that predict as the profile does", async () => {
    const made = await worker.request("POST", "/v1/profiles/pooled/demo-001/token", { body: { carry: "profile" } });
    const { token } = await made.json<{ token: string }>();
    const { logits } = (await predictionOf("demo-001")) ?? {};
    expect(await predictionOf("demo-001", { key: token })).toMatchObject({ masks: "token", logits });
    const large = await worker.request("POST", "/v1/profiles/pooled/demo-001/token", { body: { carry: "all" } });
    expect(await large.json()).toMatchObject({ code: "token_too_large" });
  });

  it("rejects masks of the bundle's size, as other tasks reject its own", async () => {
    const rejected = async (task: string, masks: Uint8Array) =>
      await (await worker.request("PUT", `/v1/profiles/${task}/wrong`, { body: { masks: base64(masks) } })).json();
    expect(await rejected("pooled", masksOf(0))).toMatchObject({
      code: "mismatched_write",
      detail: "A mask blob has 64 bytes; this task needs 8.",
    });
    expect(await rejected("plain", masksOf(0, POOLED_SHAPE))).toMatchObject({
      code: "mismatched_write",
      detail: "A mask blob has 8 bytes; this task needs 64.",
    });
  });

  it.each([
    ["cut", pooled.adapter?.slice(0, -1), "has a pool of 32 adapters in 393475 bytes; this bundle needs 393476."],
    ["of too few adapters", pooled.adapter?.with(73_776, 8), "has a pool whose masks choose 16 of 8 adapters."],
  ])("is rejected if its pool is %s", async (_, adapter, detail) => {
    const body = taskFile({ ...pooled, name: "damaged", adapter: adapter ?? null });
    const response = await worker.request("PUT", "/v1/tasks/damaged", { body });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      code: "mismatched_write",
      detail: `The adapter of task "damaged" ${detail}`,
    });
  });

  it("learns profiles over its pool, and serves them", async () => {
    const examples = examplesOf(10);
    const body = { examples, start: "auto", epochs: 12 };
    const events = await readEvents(await worker.request("POST", "/v1/profiles/pooled/learnt/learn", { body }));
    const learnt = events.at(-1)?.data ?? {};
    const pool = { firstLayer: 5, size: 32, chosen: 16 };
    expect(learnt).toMatchObject({ kept: "masks", pool, leftOut: { gained: true } });
    const { masks } = learnt;
    expect(Buffer.from(String(masks), "base64")).toHaveLength(8);
    expect(await (await worker.get("/v1/profiles/pooled/learnt")).json()).toMatchObject({ masks, generation: 1 });
    const countRight = async (profile: string) => {
      const inputs = examples.map(({ text }) => text);
      const answer = await worker.predict({ task: "pooled", profile, inputs, onUnknownProfile: "default" });
      const { predictions } = await answer.json<{ predictions: { label: string }[] }>();
      return predictions.filter(({ label }, place) => label === examples[place]?.label).length;
    };
    expect(await countRight("learnt")).toBeGreaterThan(await countRight("nobody"));
  });
});

it("names a stored pool that is damaged, also when a profile is written", async () => {
  await worker.push({ ...pooled, name: "rotten" }, []);
  await worker.db
    .prepare("UPDATE tasks SET adapter = ? WHERE name = 'rotten'")
    .bind(pooled.adapter?.slice(0, 73_778))
    .run();
  const inputs = { task: "rotten", profile: "x", inputs: TEXT, onUnknownProfile: "default" };
  const written = { body: { masks: base64(masksOf(1, POOLED_SHAPE)) } };
  for (const response of [
    await worker.predict(inputs),
    await worker.request("PUT", "/v1/profiles/rotten/x", written),
  ]) {
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      code: "invalid_row",
      detail: "The task's adapter has 2 bytes after its matrices; a pool begins with 4.",
    });
  }
});
