import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testRawRequests } from "./raw-requests.ts";
import { LONG, startReferenceWorker, TEXT } from "./reference-worker.ts";

const PAIR = { text: "Is it raining?", textPair: "Take an umbrella." };

let reference: Awaited<ReturnType<typeof startReferenceWorker>>;

const post = ({ worker }: typeof reference, body: object, profile = "demo-000", key: string | null = null) =>
  worker.request("POST", `/v1/tei/demo/${profile}/predict`, { body, key });

async function labels(body: object): Promise<unknown> {
  const response = await post(reference, body);
  expect(response.status).toBe(200);
  return response.json();
}

beforeAll(async () => {
  reference = await startReferenceWorker();
});
afterAll(() => reference.worker.close());

// In this file, as it has a Worker that needs no key.
describe("requests on the wire", () => testRawRequests(() => reference));

describe("POST /predict of text-embeddings-inference", () => {
  it("answers a text with its labels, best first", async () => {
    const expected = await reference.ranked(TEXT, "scores");
    expect(await labels({ inputs: TEXT })).toEqual(expected);
    expect(await labels({ inputs: [TEXT] })).toEqual(expected);
  });

  it("answers a pair with one list of labels", async () => {
    expect(await labels({ inputs: [PAIR.text, PAIR.textPair] })).toEqual(await reference.ranked(PAIR, "scores"));
  });

  it("answers a batch of texts and pairs with a list each", async () => {
    expect(await labels({ inputs: [[TEXT], [PAIR.text, PAIR.textPair]] })).toEqual([
      await reference.ranked(TEXT, "scores"),
      await reference.ranked(PAIR, "scores"),
    ]);
    expect(await labels({ inputs: [[TEXT]] })).toEqual([await reference.ranked(TEXT, "scores")]);
  });

  it("returns logits instead of scores on request", async () => {
    expect(await labels({ inputs: TEXT, raw_scores: true })).toEqual(await reference.ranked(TEXT, "logits"));
  });

  it("truncates a long text on request", async () => {
    const expected = await reference.ranked(LONG, "scores");
    expect(await labels({ inputs: LONG, truncate: true })).toEqual(expected);
    for (const truncation_direction of ["Right", "right"]) {
      expect(await labels({ inputs: LONG, truncate: true, truncation_direction })).toEqual(expected);
    }
  });

  it.each([
    ["serde, which writes every field", { truncate: true, truncation_direction: "Right", raw_scores: false }],
    [
      "serializers that write null for what is absent",
      { truncate: null, truncation_direction: null, raw_scores: null },
    ],
    ["pydantic, with names in lower case", { truncate: false, truncation_direction: "right", raw_scores: false }],
  ])("accepts the requests of %s", async (_, fields) => {
    expect(await labels({ inputs: TEXT, ...fields })).toEqual(await reference.ranked(TEXT, "scores"));
  });

  it("accepts the fields of TEI's other routes, like TEI", async () => {
    expect(await labels({ inputs: TEXT, normalize: true })).toEqual(await reference.ranked(TEXT, "scores"));
  });

  it.each([
    ["a long text", { inputs: LONG }, 422, "Validation"],
    ["a long text by false", { inputs: LONG, truncate: false }, 422, "Validation"],
    ["a long text by null", { inputs: LONG, truncate: null }, 422, "Validation"],
    ["a long text in a batch", { inputs: [[TEXT], [LONG]] }, 422, "Validation"],
    ["a cut at the start", { inputs: LONG, truncate: true, truncation_direction: "Left" }, 422, "Validation"],
    ["an empty text", { inputs: "" }, 422, "Empty"],
    ["an empty list", { inputs: [] }, 422, "Validation"],
    ["three texts", { inputs: [TEXT, TEXT, TEXT] }, 422, "Validation"],
    ["a text beside a list", { inputs: [[TEXT], TEXT] }, 422, "Validation"],
    ["no inputs", {}, 422, "Validation"],
  ])("rejects %s with TEI's kind of error", async (_, body, status, kind) => {
    const response = await post(reference, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: expect.stringMatching(/\S/), error_type: kind });
  });

  it("hints at what the request did not do", async () => {
    const hinted = async (body: object) => (await (await post(reference, body)).json<{ hint: string }>()).hint;
    const hint = 'Send a shorter text, or send "truncate": true to have it cut.';
    for (const fields of [{}, { truncate: false }, { truncate: null }]) {
      expect(await hinted({ inputs: LONG, ...fields })).toBe(hint);
    }
  });

  it("reports an unknown profile", async () => {
    const response = await post(reference, { inputs: TEXT }, "nobody");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: 'Task "demo" has no profile "nobody".',
      error_type: "Validation",
    });
  });

  it("has the routes /health and /info", async () => {
    const get = (path: string, key: string | null = null) => reference.worker.get(`/v1/tei/demo/${path}`, { key });
    const health = await get("demo-000/health");
    expect([health.status, await health.text()]).toEqual([200, ""]);
    expect((await get("nobody/health")).status).toBe(404);
    expect(await (await get("demo-000/info")).json()).toEqual({
      model_id: "sentence-transformers/all-MiniLM-L6-v2",
      model_sha: expect.stringMatching(/^[0-9a-f]{32}$/),
      model_dtype: "int8",
      model_type: {
        classifier: { id2label: { 0: "low", 1: "middle", 2: "high" }, label2id: { low: 0, middle: 1, high: 2 } },
      },
      max_concurrent_requests: 512,
      max_input_length: 32,
      max_batch_tokens: 8192,
      max_batch_requests: 1,
      max_client_batch_size: 64,
      auto_truncate: false,
      tokenization_workers: 1,
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      sha: null,
      docker_label: null,
    });
    const made = await reference.worker.request("POST", "/v1/profiles/demo/demo-000/token", { body: {} });
    const { token } = await made.json<{ token: string }>();
    expect((await get("demo-000/health", token)).status).toBe(200);
    expect((await get("demo-000/info", token)).status).toBe(200);
    expect((await get("demo-001/health", token)).status).toBe(403);
    expect((await get("demo-001/info", token)).status).toBe(403);
  });

  it("distinguishes overload from a fault", async () => {
    const limited = await startReferenceWorker({ rateLimit: 1, vars: { TOKEN_KEYS: "no key" } });
    try {
      const unhealthy = await post(limited, { inputs: TEXT }, "demo-000", "a.profile.token");
      expect(unhealthy.status).toBe(503);
      expect(await unhealthy.json()).toMatchObject({ error: expect.any(String), error_type: "Unhealthy" });
      // One minute may end between two requests, but not two minutes.
      const answers = await Promise.all([1, 2, 3].map(() => post(limited, { inputs: TEXT })));
      const rejected = answers.find(({ status }) => status === 429);
      expect(await rejected?.json()).toMatchObject({ error: expect.any(String), error_type: "Overloaded" });
    } finally {
      await limited.worker.close();
    }
  });
});
