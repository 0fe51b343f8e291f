import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  InferenceClientProviderApiError,
  type TextClassificationArgs,
  textClassification,
} from "@huggingface/inference";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath } from "../support/browser.ts";
import { missingPython, runPython } from "../support/python.ts";
import type { RunningWorker } from "../support/worker.ts";
import { serveOtherOrigin } from "./other-origin.ts";
import { LONG, type Scored, startReferenceWorker, TEXT } from "./reference-worker.ts";

let reference: Awaited<ReturnType<typeof startReferenceWorker>>;
let worker: RunningWorker;
let open: RunningWorker;
let key: string;
let otherOrigin: Awaited<ReturnType<typeof serveOtherOrigin>>;

const url = (profile = "demo-000", of = worker) => `${of.url}v1/hf/demo/${profile}`;

beforeAll(async () => {
  otherOrigin = await serveOtherOrigin();
  reference = await startReferenceWorker({ vars: { PUBLIC_PREDICT: "false", CORS_ORIGINS: otherOrigin.origin } });
  worker = reference.worker;
  key = await worker.makeKey({ scopes: ["predict"] });
  open = (await startReferenceWorker()).worker;
});
afterAll(() => Promise.all([worker.close(), open.close(), otherOrigin.close()]));

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

  it("accepts the options of its older versions, and a payer, which are for another service", async () => {
    const options = { use_cache: false, wait_for_model: true };
    const args = { endpointUrl: url(), accessToken: key, inputs: TEXT, options };
    const labels = await textClassification(args, { billTo: "an-organization" });
    expect(labels).toEqual(await reference.ranked(TEXT, "scores"));
  });

  it("works with a slash at the end of the endpoint", async () => {
    const labels = await textClassification({ endpointUrl: `${url()}/`, accessToken: key, inputs: TEXT });
    expect(labels).toEqual(await reference.ranked(TEXT, "scores"));
  });

  it.skipIf(!chromiumPath)("works in a page of another origin that the deploy names (needs a Chromium)", async () => {
    const args = { endpointUrl: url(), accessToken: key, inputs: TEXT, parameters: { top_k: 2 } };
    const expected = (await reference.ranked(TEXT, "scores")).slice(0, 2);
    expect(await otherOrigin.classify(args)).toEqual(expected);
    expect(await otherOrigin.classify(args, { billTo: "an-organization" })).toEqual(expected);
    expect(await otherOrigin.classify({ ...args, endpointUrl: url("nobody") })).toContain("has no profile");
    // This Worker names no origin.
    const { accessToken: _, ...rest } = args;
    expect(await otherOrigin.classify({ ...rest, endpointUrl: url("demo-000", open) })).toContain("Failed to fetch");
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

describe("the parameters of transformers' pipelines", () => {
  const send = async (inputs: unknown, parameters: object | null) => {
    const answer = await worker.request("POST", "/v1/hf/demo/demo-000", { body: { inputs, parameters } });
    return [answer.status, await answer.json()] as const;
  };

  it("truncate long texts as by default", async () => {
    const expected = [200, [await reference.ranked(LONG, "scores")]];
    for (const truncation of [true, "longest_first", "only_first", null]) {
      expect(await send(LONG, { truncation, max_length: 512, padding: "max_length" })).toEqual(expected);
    }
    expect(await send(LONG, { padding: true })).toEqual(expected);
    expect(await send(LONG, null)).toEqual(expected);
  });

  it("reject long texts on request, and then limit no length", async () => {
    for (const truncation of [false, "do_not_truncate"]) {
      expect(await send(LONG, { truncation })).toMatchObject([422, { code: "text_too_long" }]);
      expect(await send(TEXT, { truncation, max_length: 5 })).toEqual([200, [await reference.ranked(TEXT, "scores")]]);
    }
  });

  it("truncate to fewer tokens, of a text and of a pair", async () => {
    const words = (count: number) => "word ".repeat(count);
    // Beside the words there are two special tokens, and three in a pair.
    expect(await send(LONG, { max_length: 8 })).toEqual([200, [await reference.ranked(words(6), "scores")]]);
    const pair = { text: LONG, text_pair: LONG };
    expect(await send(pair, { max_length: 9 })).toEqual([
      200,
      [await reference.ranked({ text: words(3), textPair: words(3) }, "scores")],
    ]);
    expect(await send(pair, { max_length: 5 })).toMatchObject([200, [{ length: 3 }]]);
    expect(await send(pair, { max_length: 4 })).toMatchObject([422, { code: "invalid_request" }]);
    expect(await send([TEXT, pair], { truncation: "only_first" })).toMatchObject([422, { code: "invalid_request" }]);
  });

  it("return all labels or the best", async () => {
    const ranked = await reference.ranked(TEXT, "scores");
    expect(await send(TEXT, { return_all_scores: true })).toEqual([200, [ranked]]);
    expect(await send(TEXT, { return_all_scores: false })).toEqual([200, [ranked.slice(0, 1)]]);
    expect(await send(TEXT, { return_all_scores: false, top_k: 2 })).toEqual([200, [ranked.slice(0, 2)]]);
  });

  it.each([
    [{ truncation: "only_second" }, /^parameters\.truncation: must be true, false, "longest_first", "only_first" or/],
    [{ candidate_labels: ["a"] }, /^parameters: .*candidate_labels/],
  ])("are rejected if they would be ignored: %j", async (parameters, detail) => {
    expect(await send(TEXT, parameters)).toMatchObject([422, { detail: expect.stringMatching(detail) }]);
  });
});

describe.skipIf(missingPython !== undefined)(`huggingface_hub [${missingPython ?? "found"}]`, () => {
  type Outcome =
    | { labels: Scored[] }
    | { returned: unknown }
    | { status: number; answer: unknown }
    | { status: number; error: string; shown: string };
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

  it("checks an endpoint's health, and reads its info", async () => {
    const both = [{ method: "health_check" }, { method: "get_endpoint_info" }];
    expect(await ask(key, both)).toMatchObject([
      { returned: true },
      {
        returned: {
          model_id: "sentence-transformers/all-MiniLM-L6-v2",
          model_type: {
            classifier: {
              id2label: { 0: "low", 1: "middle", 2: "high" },
              label2id: { low: 0, middle: 1, high: 2 },
            },
          },
          max_input_length: 32,
          max_client_batch_size: 64,
          auto_truncate: true,
        },
      },
    ]);
    expect(await ask(key, both, `${url()}/`)).toMatchObject([
      { returned: true },
      { returned: { auto_truncate: true } },
    ]);
    expect(await ask(key, both, url("nobody"))).toMatchObject([
      { returned: false },
      { status: 404, error: 'Task "demo" has no profile "nobody".' },
    ]);
    expect(await ask(null, both)).toMatchObject([{ returned: false }, { status: 401 }]);
    expect(await ask(null, both, url("demo-000", open))).toMatchObject([{ returned: true }, { returned: {} }]);
  });

  it("stands beside requests, whose bodies may come from a generator", async () => {
    const [answer] = await ask(key, [{ generate: JSON.stringify({ inputs: TEXT }) }]);
    expect(answer).toEqual({ status: 200, answer: [await reference.ranked(TEXT, "scores")] });
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
