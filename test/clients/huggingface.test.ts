import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  InferenceClientProviderApiError,
  type TextClassificationArgs,
  textClassification,
} from "@huggingface/inference";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingPython, runPython } from "../support/python.ts";
import type { RunningWorker } from "../support/worker.ts";
import { LONG, type Scored, startReferenceWorker, TEXT } from "./reference-worker.ts";

let reference: Awaited<ReturnType<typeof startReferenceWorker>>;
let worker: RunningWorker;
let open: RunningWorker;
let key: string;

const url = (profile = "demo-000", of = worker) => `${of.url}v1/hf/demo/${profile}`;

beforeAll(async () => {
  reference = await startReferenceWorker({ vars: { PUBLIC_PREDICT: "false" } });
  worker = reference.worker;
  key = await worker.makeKey({ scopes: ["predict"] });
  open = (await startReferenceWorker()).worker;
});
afterAll(() => Promise.all([worker.close(), open.close()]));

describe("@huggingface/inference", () => {
  it("returns the labels of /v1/predict, best first", async () => {
    const labels = await textClassification({ endpointUrl: url(), accessToken: key, inputs: TEXT });
    expect(labels).toEqual(await reference.ranked(TEXT, "scores"));
  });

  it("returns the requested number of labels, by the requested function", async () => {
    const ask = (parameters: TextClassificationArgs["parameters"]) =>
      textClassification({ endpointUrl: url(), accessToken: key, inputs: TEXT, parameters });
    expect(await ask({ top_k: 2 })).toEqual((await reference.ranked(TEXT, "scores")).slice(0, 2));
    expect(await ask({ function_to_apply: "none" })).toEqual(await reference.ranked(TEXT, "logits"));
    expect(await ask({ function_to_apply: "sigmoid", top_k: 1 })).toEqual((await reference.sigmoids(TEXT)).slice(0, 1));
  });

  it("accepts a profile token as access token", async () => {
    const made = await worker.request("POST", "/v1/profiles/demo/demo-000/token", { body: {} });
    const { token } = (await made.json()) as { token: string };
    const labels = await textClassification({ endpointUrl: url(), accessToken: token, inputs: TEXT });
    expect(labels).toEqual(await reference.ranked(TEXT, "scores"));
    await expect(
      textClassification({ endpointUrl: url("demo-001"), accessToken: token, inputs: TEXT }),
    ).rejects.toThrow('The token is of profile "demo-000", not "demo-001".');
  });

  it.each([
    ["an unknown profile", "nobody", TEXT, 404, 'Task "demo" has no profile "nobody".'],
    ["a text with nothing in it", "demo-000", "", 422, "has no tokens"],
  ])("throws its own error for %s", async (_, profile, inputs, status, message) => {
    const pending = textClassification({ endpointUrl: url(profile), accessToken: key, inputs });
    const error: unknown = await pending.catch((error) => error);
    expect(error).toBeInstanceOf(InferenceClientProviderApiError);
    expect(error).toMatchObject({
      message: expect.stringContaining(message),
      httpResponse: { status, body: { status, error: expect.any(String), code: expect.any(String) } },
    });
  });

  it("needs an access token if predictions are not public", async () => {
    await expect(textClassification({ endpointUrl: url(), inputs: TEXT })).rejects.toThrow(
      'This needs a key with the scope "predict".',
    );
    const labels = await textClassification({ endpointUrl: url("demo-000", open), inputs: TEXT });
    expect(labels).toEqual(await reference.ranked(TEXT, "scores"));
  });
});

// Some reporters do not say why a test is skipped.
if (missingPython !== undefined) console.warn(`The Python client is not tested: that ${missingPython}.`);

describe.skipIf(missingPython !== undefined)(`huggingface_hub [${missingPython ?? "found"}]`, () => {
  type Outcome = { labels: Scored[] } | { status: number; error: string; shown: string };
  let home: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "xpeft-hf-"));
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  /** Runs without a login to Hugging Face, whose token the client would otherwise send by default. */
  async function ask(token: string | null, requests: object[], at = url()): Promise<Outcome[]> {
    const env = { HF_HOME: home, HF_TOKEN: "", HUGGING_FACE_HUB_TOKEN: "", HF_HUB_DISABLE_TELEMETRY: "1" };
    const script = join(import.meta.dirname, "huggingface.py");
    return (await runPython(script, { url: at, token, requests }, env)) as Outcome[];
  }

  it("returns the requested number of labels of /v1/predict, best first, by the requested function", async () => {
    const outcomes = await ask(key, [
      { text: TEXT },
      { text: LONG },
      { text: TEXT, top_k: 2 },
      { text: TEXT, function_to_apply: "sigmoid" },
      { text: TEXT, function_to_apply: "none" },
    ]);
    expect(outcomes).toEqual([
      { labels: await reference.ranked(TEXT, "scores") },
      { labels: await reference.ranked(LONG, "scores") },
      { labels: (await reference.ranked(TEXT, "scores")).slice(0, 2) },
      { labels: await reference.sigmoids(TEXT) },
      { labels: await reference.ranked(TEXT, "logits") },
    ]);
  });

  it("raises its own error with our message", async () => {
    const [unknown] = await ask(key, [{ text: TEXT }], url("nobody"));
    const message = 'Task "demo" has no profile "nobody".';
    expect(unknown).toEqual({ status: 404, error: message, shown: expect.stringContaining(message) });
    const [empty, wrong] = await ask(key, [{ text: "" }, { text: TEXT, function_to_apply: "tanh" }]);
    expect(empty).toMatchObject({ status: 422, shown: expect.stringContaining("empty_text") });
    expect(wrong).toMatchObject({ status: 422, error: expect.stringContaining("parameters.function_to_apply") });
  });

  it("needs a token if predictions are not public", async () => {
    expect(await ask(null, [{ text: TEXT }])).toMatchObject([
      { status: 401, error: 'This needs a key with the scope "predict".' },
    ]);
    const outcomes = await ask(null, [{ text: TEXT }], url("demo-000", open));
    expect(outcomes).toEqual([{ labels: await reference.ranked(TEXT, "scores") }]);
  });
});
