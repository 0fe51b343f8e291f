import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import type { NewProfile } from "../../src/profiles/profile.ts";
import { readEvents } from "../support/events.ts";
import { examplesOf } from "../support/examples.ts";
import { FORMAT_1_ID, requestSecond, type Send, writeFormat1Bundle } from "../support/format-1.ts";
import { adapterOf, headHashOf, masksOf, profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";
import { runCli } from "../support/run-cli.ts";
import { makeTempFolder, removeTempFolder } from "../support/temp-folders.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const PROFILES = 10_000;
const TEXTS = ["The committee met again and nobody was surprised.", "Rain fills the pond."];
const NDJSON = { "content-type": "application/x-ndjson" };

const after = await readBundle(DEFAULT_BUNDLE);
const task = taskFor({ ...after, id: FORMAT_1_ID }, { adapter: adapterOf(1) });
const plain = { ...task, name: "plain", adapter: null };
const profiles = profilesOf(PROFILES);
const ids = profiles.map(({ id }) => id);

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const maskBody = (seed: number) => ({ body: { masks: base64(masksOf(seed)) } });

let folder: string;
let worker: RunningWorker;
/** Sends to the Worker whose bundle is the default one. */
const onAfter: Send = (...request) => worker.request(...request);
/** Sends to the Worker whose bundle has format 1. */
const onBefore: Send = (...request) => requestSecond(worker, ...request);
const both: readonly (readonly [string, Send, Send])[] = [
  ["before", onBefore, onAfter],
  ["after", onAfter, onBefore],
];

beforeAll(async () => {
  folder = await makeTempFolder("xpeft-format-1-");
  const bundle = join(folder, "bundle");
  await writeFormat1Bundle(bundle);
  worker = await startWorker({
    // Without a tail a Worker has no kernels, and answers of another engine have other bits.
    vars: { CACHE_TTL_SECONDS: "0", ENGINE: "onnxruntime" },
    secondBundle: bundle,
  });
  for (const one of [task, plain]) {
    const put = await onBefore("PUT", `/v1/tasks/${one.name}`, { body: taskFile(one) });
    expect(put.status).toBe(200);
  }
  await importLines(onBefore, "plain", profilesFile("plain", profiles.slice(0, 3)));
  const counts = await importLines(onBefore, "demo", profilesFile("demo", profiles, await headHashOf(task)));
  expect(counts).toMatchObject({ done: true, created: PROFILES, failed: 0 });
});
afterAll(async () => {
  await worker.close();
  await removeTempFolder(folder);
});

async function importLines(send: Send, name: string, lines: string): Promise<object> {
  const response = await send("POST", `/v1/tasks/${name}/import`, { body: lines, headers: NDJSON });
  return JSON.parse((await response.text()).trimEnd().split("\n").at(-1) ?? "");
}

interface Prediction {
  readonly label: string;
  readonly logits: Record<string, number>;
  readonly generation: number;
  readonly masks: string;
}

async function predict(send: Send, body: object, key?: string): Promise<{ bundle: string; predictions: Prediction[] }> {
  const response = await send("POST", "/v1/predict", { body: { task: "demo", logits: true, ...body }, key });
  expect(response.status).toBe(200);
  return await response.json();
}

/** Expects answers of the same rows: equal labels, and logits that differ by less than 1e-5. */
function expectSame(one: readonly Prediction[], other: readonly Prediction[]): void {
  const close = other.map(({ label, logits, generation, masks }) => {
    const entries = Object.entries(logits).map(([name, logit]) => [name, expect.closeTo(logit, 4.7)]);
    return expect.objectContaining({ label, generation, masks, logits: Object.fromEntries(entries) });
  });
  expect(one).toEqual(close);
}

/** Expects both Workers to answer alike for profiles. */
async function expectAlike(...some: readonly string[]): Promise<void> {
  const inputs = some.flatMap((profile) => TEXTS.map((text) => ({ profile, text })));
  const [old, now] = [await predict(onBefore, { inputs }), await predict(onAfter, { inputs })];
  expect(old.bundle).toBe(FORMAT_1_ID);
  expect(now.bundle).toBe(after.id);
  expectSame(now.predictions, old.predictions);
}

describe("a database of format 1 with 10,000 profiles", () => {
  it("is served by a Worker of each format, with equal answers", async () => {
    await expectAlike(...ids.filter((_, place) => place % 500 === 0));
    const exported = await Promise.all(
      [onBefore, onAfter].map(async (send) => (await send("GET", "/v1/tasks/demo/export")).text()),
    );
    expect(exported[0]).toBe(exported[1]);
    expect(exported[0]?.trimEnd().split("\n")).toHaveLength(PROFILES);
  });

  it("is served while both Workers write to it", async () => {
    const written = ids.slice(100, 160);
    const writing = written.map(async (id, place) => {
      const send = place % 2 === 0 ? onBefore : onAfter;
      expect((await send("PUT", `/v1/profiles/demo/${id}`, maskBody(place))).status).toBe(200);
    });
    const inputs = ids.slice(200, 210).map((profile) => ({ profile, text: TEXTS[0] }));
    const reading = [onBefore, onAfter, onBefore, onAfter].map((send) => predict(send, { inputs }));
    const [first, ...others] = await Promise.all(reading);
    await Promise.all(writing);
    for (const { predictions } of others) expectSame(predictions, first?.predictions ?? []);
    for (const [, send] of both) {
      const answer = await predict(send, { inputs: written.map((profile) => ({ profile, text: TEXTS[0] })) });
      expect(answer.predictions.map(({ generation }) => generation)).toEqual(written.map(() => 2));
    }
    await expectAlike(...written.slice(0, 6));
  });

  it.each(both)(
    "has one history, which the Worker of %s rolls back to what the other one wrote",
    async (name, own, other) => {
      const path = `/v1/profiles/demo/demo-00${name === "before" ? 1 : 2}`;
      const at = (generation: number) => ({ headers: { "if-match": `"${generation}"` } });
      expect((await other("PUT", path, { ...maskBody(70_001), ...at(1) })).status).toBe(200);
      expect((await own("PUT", path, { ...maskBody(70_002), ...at(1) })).status).toBe(412);
      expect((await own("PUT", path, { ...maskBody(70_002), ...at(2) })).status).toBe(200);
      const histories = await Promise.all(
        [own, other].map(async (send) => (await send("GET", `${path}/history`)).json()),
      );
      expect(histories[0]).toEqual(histories[1]);
      expect(histories[0]).toMatchObject({ earlier: [{ generation: 2 }, { generation: 1 }] });
      expect((await own("POST", `${path}/rollback`, { body: { generation: 2 } })).status).toBe(200);
      expect(await (await other("GET", path)).json()).toMatchObject({ generation: 4, masks: base64(masksOf(70_001)) });
      await expectAlike(path.slice(-8));
    },
  );

  it.each(both)("exports lines from the Worker of %s that the other one imports", async (_, own, other) => {
    const lines = await (await own("GET", "/v1/tasks/demo/export")).text();
    expect(await importLines(other, "demo", lines)).toMatchObject({ unchanged: PROFILES, created: 0, failed: 0 });
    const file = await (await own("GET", "/v1/tasks/demo")).text();
    expect(JSON.parse(file)).toMatchObject({ bundle: FORMAT_1_ID });
    expect((await other("PUT", "/v1/tasks/demo", { body: file })).status).toBe(200);
    // The head is the same, so the profiles stay.
    expect((await own("GET", `/v1/profiles/demo/${ids.at(-1)}`)).status).toBe(200);
  });

  it.each(both)("has tokens that the Worker of %s makes and the other one accepts", async (_, own, other) => {
    for (const [name, carry] of [
      ["demo", "profile"],
      ["plain", "profile"],
      ["plain", "all"],
    ] as const) {
      const made = await own("POST", `/v1/profiles/${name}/demo-000/token`, { body: { carry } });
      const { token } = await made.json<{ token: string }>();
      const body = { task: name, profile: "demo-000", inputs: TEXTS };
      const [answer, expected] = [await predict(other, body, token), await predict(own, body)];
      expectSame(
        answer.predictions,
        expected.predictions.map((prediction) => ({ ...prediction, masks: "token" })),
      );
    }
  });

  it.each(both)("has profiles that the Worker of %s learns and both serve", async (name, own) => {
    const body = { examples: examplesOf(10), start: "auto", epochs: 4, force: true };
    const events = await readEvents(await own("POST", `/v1/profiles/demo/learnt-${name}/learn`, { body }));
    expect(events.at(-1)).toMatchObject({ event: "learnt", data: { headHash: await headHashOf(task) } });
    await expectAlike(`learnt-${name}`);
    expect((await own("DELETE", `/v1/profiles/demo/learnt-${name}`)).status).toBe(200);
  });

  it("is backed up, restored and checked by the command line", async () => {
    const run = (...args: string[]) =>
      runCli(args, { XPEFT_URL: String(worker.url), XPEFT_KEY: worker.adminKey, NO_COLOR: "1" });
    const backup = join(folder, "backup");
    expect(await run("backup", backup, "plain")).toMatchObject({ code: 0 });
    expect(await readFile(join(backup, "plain", "task.json"), "utf8")).toContain(FORMAT_1_ID);
    await onAfter("DELETE", "/v1/tasks/plain?profiles=delete");
    expect(await run("restore", backup)).toMatchObject({ code: 0, stdout: expect.stringContaining("3 created") });
    const files = [
      "--task",
      join(backup, "plain", "task.json"),
      "--profiles",
      join(backup, "plain", "profiles.ndjson"),
    ];
    expect(await run("push", "--url", String(worker.url), ...files)).toMatchObject({ code: 0 });
    const { stdout } = await run("doctor", "--db", "--persist-to", join(folder, "empty"));
    expect(stdout).toContain("ok   Worker's tasks: all 2 tasks fit this bundle");
    expect(stdout).toContain(`ok   rows: all ${PROFILES + 3 + 2} tasks and profiles fit this bundle`);
  });

  it("takes tasks of format 2 beside, which only the Worker of after serves", async () => {
    const newer = { ...plain, name: "newer", bundle: after.id };
    expect((await onBefore("PUT", "/v1/tasks/newer", { body: taskFile(newer) })).status).toBe(409);
    expect((await onAfter("PUT", "/v1/tasks/newer", { body: taskFile(newer) })).status).toBe(200);
    const [anna] = profilesOf(1) as [NewProfile];
    const lines = (hash: string) => profilesFile("newer", [anna], hash);
    // A hash is over the bundle that the task names.
    expect(await importLines(onAfter, "newer", lines(await headHashOf(plain)))).toMatchObject({ failed: 1 });
    expect(await importLines(onAfter, "newer", lines(await headHashOf(newer)))).toMatchObject({ created: 1 });
    const body = { task: "newer", profile: anna.id, inputs: TEXTS };
    const expected = await predict(onBefore, { ...body, task: "plain" });
    const atFirst = expected.predictions.map((prediction) => ({ ...prediction, generation: 1 }));
    expectSame((await predict(onAfter, body)).predictions, atFirst);
    const refused = await onBefore("POST", "/v1/predict", { body });
    expect(await refused.json()).toMatchObject({ code: "bundle_mismatch" });
    const { token } = await (await onAfter("POST", "/v1/profiles/newer/demo-000/token", { body: {} })).json<{
      token: string;
    }>();
    expect(await (await onBefore("POST", "/v1/predict", { body, key: token })).json()).toMatchObject({
      code: "token_other_bundle",
    });
  });
});
