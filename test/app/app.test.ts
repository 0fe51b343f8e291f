import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { examplesOf } from "../support/examples.ts";
import { profilesFile, profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, secretOf, startWorker } from "../support/worker.ts";

const ORIGIN = "https://app.example";

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ vars: { CORS_ORIGINS: `https://other.example, ${ORIGIN}` } });
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(2));
});
afterAll(() => worker.close());

describe("pages of other origins", () => {
  const preflight = (origin: string, asked = "authorization") =>
    worker.request("OPTIONS", "/v1/predict", {
      key: null,
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": asked },
    });

  it("may call from an origin in the setting", async () => {
    const allowed = await preflight(ORIGIN);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(allowed.headers.get("access-control-allow-headers")).toContain("authorization");
    const answer = await worker.get("/v1/tasks", { headers: { origin: ORIGIN } });
    expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(answer.headers.get("access-control-expose-headers")).toContain("x-d1-bookmark");
    const problem = await worker.get("/v1/tasks", { key: "xpk_no", headers: { origin: ORIGIN } });
    expect(problem.headers.get("access-control-allow-origin")).toBe(ORIGIN);
  });

  it.each([
    ["@huggingface/inference", "authorization,content-type,user-agent,x-hf-bill-to"],
    ["our client", "authorization,cache-control,content-type,if-match,if-none-match,x-d1-bookmark,x-request-id"],
    ["a page with tracing", "baggage,content-type,sentry-trace,traceparent,tracestate"],
  ])("may send the headers of %s", async (_, asked) => {
    expect((await preflight(ORIGIN, asked)).headers.get("access-control-allow-headers")).toBe(asked);
  });

  it("may not call from any other origin", async () => {
    expect((await preflight("https://evil.example")).headers.get("access-control-allow-origin")).toBeNull();
    const answer = await worker.get("/v1/tasks", { headers: { origin: `${ORIGIN}.evil` } });
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });
});

it("ignores the login that Hugging Face's clients send by default", async () => {
  const options = { key: "hf_a-login-of-theirs" };
  const answer = await worker.request("POST", "/v1/hf/demo/demo-000", { body: { inputs: "a text" }, ...options });
  expect(answer.status).toBe(200);
  const rejected = await worker.get("/v1/tasks/demo", options);
  expect(await rejected.json()).toMatchObject({ code: "key_invalid" });
});

it("accepts a weakened entity tag, and every other form of a generation", async () => {
  const masks = Buffer.from(profilesOf(1)[0]?.masks ?? []).toString("base64");
  const put = (match: string) =>
    worker.request("PUT", "/v1/profiles/demo/weak", { body: { masks }, headers: { "if-match": match } });
  await worker.request("PUT", "/v1/profiles/demo/weak", { body: { masks } });
  expect((await put('W/"1"')).status).toBe(200);
  expect((await put('"2"')).status).toBe(200);
  expect((await put("3")).status).toBe(200);
  expect((await put('W/"3"')).status).toBe(412);
  for (const match of ['""', "three", 'W/3"', "3, 4", "-1"]) expect((await put(match)).status).toBe(422);
});

describe("bookmarks", () => {
  it("are returned by reads and writes, and accepted by later requests", async () => {
    const written = await worker.request("DELETE", "/v1/profiles/demo/demo-001");
    const bookmark = written.headers.get("x-d1-bookmark") ?? "";
    expect(bookmark).toMatch(/^[0-9a-f-]{59}$/);
    const read = await worker.get("/v1/profiles/demo/demo-001", { headers: { "x-d1-bookmark": bookmark } });
    expect(read.status).toBe(404);
    const body = { task: "demo", profile: "demo-001", inputs: "a text" };
    expect((await worker.predict(body, { headers: { "x-d1-bookmark": bookmark } })).status).toBe(404);
  });

  it("bypass the cache, so a write's bookmark shows that write", async () => {
    const [profile] = profilesOf(1);
    const body = { task: "demo", profile: "demo-000", inputs: "a text" };
    const generationBy = async (headers: Record<string, string>) => {
      const { predictions } = await (await worker.predict(body, { headers })).json<{
        predictions: { generation: number }[];
      }>();
      return predictions[0]?.generation;
    };
    expect(await generationBy({})).toBe(1);
    const masks = Buffer.from(profile?.masks ?? []).toString("base64");
    const written = await worker.request("PUT", "/v1/profiles/demo/demo-000", { body: { masks } });
    expect(await generationBy({})).toBe(1);
    expect(await generationBy({ "x-d1-bookmark": written.headers.get("x-d1-bookmark") ?? "" })).toBe(2);
  });

  it("of an import are in its last line, because its headers are sent before the writes", async () => {
    const imported = await worker.request("POST", "/v1/tasks/demo/import", {
      body: profilesFile("demo", profilesOf(2)),
      headers: { "content-type": "application/x-ndjson" },
    });
    expect(imported.headers.get("x-d1-bookmark")).toBeNull();
    const last = JSON.parse((await imported.text()).trimEnd().split("\n").at(-1) ?? "");
    expect(last).toMatchObject({ done: true, bookmark: expect.stringMatching(/^[0-9a-f-]{59}$/) });
  });

  it("are rejected if invalid", async () => {
    const response = await worker.get("/v1/tasks", { headers: { "x-d1-bookmark": "first-primary" } });
    expect([response.status, await response.json()]).toMatchObject([422, { code: "invalid_request" }]);
  });
});

/**
 * Sends requests until one is rejected, which it returns. Checks that the limit's number of requests is answered before,
 * or up to twice as many: the limiter counts by minutes of the clock, and one may end meanwhile.
 */
async function firstRejected(limit: number, status: number, send: () => Promise<Response>): Promise<Response> {
  for (let answered = 0; ; answered++) {
    const response = await send();
    if (response.status === 429 && answered >= limit) return response;
    expect(response.status).toBe(status);
    expect(answered).toBeLessThan(2 * limit);
  }
}

describe("rate limits", () => {
  let slow: RunningWorker;

  beforeAll(async () => {
    slow = await startWorker({ rateLimit: 5, learnLimit: 1 });
  });
  afterAll(() => slow.close());

  it("are per key, and say when to retry", async () => {
    const [one, other] = [await slow.makeKey(), await slow.makeKey()];
    const rejected = await firstRejected(5, 200, () => slow.get("/v1/tasks", { key: one }));
    expect((await slow.get("/v1/tasks", { key: other })).status).toBe(200);
    expect(rejected.headers.get("retry-after")).toBe("60");
    expect(await rejected.json()).toMatchObject({ code: "rate_limited", error_type: "Overloaded" });
  });

  it("count callers without a valid key by address, and stop guessing", async () => {
    const from = (address: string, key: string | null) =>
      slow.get("/v1/tasks", { key, headers: { "cf-connecting-ip": address } });
    await firstRejected(5, 401, () => from("203.0.113.1", `xpk_0123456789abcdef_${"A".repeat(43)}`));
    await firstRejected(5, 200, () => from("203.0.113.2", null));
  });

  it("count learning separately", async () => {
    const key = await slow.makeKey();
    // There is no task to learn.
    const learn = () =>
      slow.request("POST", "/v1/profiles/demo/demo-000/learn", { body: { examples: examplesOf(2) }, key });
    expect(await (await firstRejected(1, 404, learn)).json()).toMatchObject({ code: "rate_limited" });
    expect((await slow.get("/v1/tasks", { key })).status).toBe(200);
  });
});

describe("what is visible from outside", () => {
  it("is a line a request, without texts, ids of profiles or keys", async () => {
    worker.harness.clearLogs();
    const body = { task: "demo", profile: "demo-000", inputs: ["very secret words", "more of them"] };
    await worker.predict(body, { headers: { "x-request-id": "mine" } });
    await worker.get("/v1/profiles/demo/hidden-profile");
    await expect.poll(() => worker.harness.getLogs().length).toBe(2);
    const lines = worker.harness.getLogs().map(({ message }) => JSON.parse(message));
    expect(lines).toMatchObject([
      { level: "info", request: "mine", method: "POST", route: "/v1/predict", status: 200, texts: 2 },
      { route: "/v1/profiles/:task/:profile", status: 404, code: "unknown_profile" },
    ]);
    expect(lines[0].caller).toBe(worker.adminKey.split("_")[1]);
    expect(JSON.stringify(lines)).not.toMatch(/secret|hidden|demo-000/);
    expect(JSON.stringify(lines)).not.toContain(secretOf(worker.adminKey));
  });

  it("includes the service's limits and caches", async () => {
    await worker.predict({ task: "demo", profile: "demo-000", inputs: "a text" });
    const info = await (await worker.get("/v1/info")).json<{ caches: { trunks: { texts: number } } }>();
    expect(info.caches.trunks.texts).toBeGreaterThan(0);
    expect(info).toMatchObject({
      bundle: { layers: 6, hidden: 384, bottleneck: 16, pool: { kind: "sign", firstLayer: 5, size: 256, chosen: 128 } },
      access: { publicPredict: true, profileTokens: true, rateLimit: true },
      limits: { inputs: 64, tokenBytes: 98304 },
      caches: {
        ttlSeconds: 30,
        rows: { tasks: 1, profiles: 1 },
        merged: { profiles: 1 },
        trunks: { maxBytes: 4 * 2 ** 20 },
      },
    });
  });

  it("includes an OpenAPI document, which says whether predictions need a key", async () => {
    const describing = async (of: RunningWorker) =>
      (await of.get("/openapi.json")).json<{ openapi: string; paths: Record<string, Record<string, object>> }>();
    const described = await describing(worker);
    expect(described.openapi).toBe("3.1.0");
    expect(described.paths["/v1/predict"]?.post).toMatchObject({ security: [{ key: [] }, { token: [] }, {}] });
    expect(described.paths["/v1/profiles/{task}"]?.get).toMatchObject({ security: [{ key: [] }] });
    const closed = await startWorker({ vars: { PUBLIC_PREDICT: "false" } });
    try {
      expect((await describing(closed)).paths["/v1/predict"]?.post).toMatchObject({
        security: [{ key: [] }, { token: [] }],
      });
    } finally {
      await closed.close();
    }
  });

  it("includes a page that shows it, loaded from this Worker only", async () => {
    const page = await worker.get("/api", { key: null });
    expect(page.headers.get("content-security-policy")).toContain("connect-src 'self'");
    expect(await page.text()).not.toMatch(/https?:/);
    const viewer = await worker.get("/api/viewer.js", { key: null });
    expect(viewer.headers.get("content-type")).toBe("text/javascript");
    expect((await viewer.text()).length).toBeGreaterThan(1_000_000);
    const headers = { "accept-encoding": "identity" };
    const plain = await worker.get("/api/viewer.js", { key: null, headers });
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect((await plain.text()).length).toBeGreaterThan(1_000_000);
    expect((await worker.get("/api/viewer.css", { key: null })).headers.get("content-type")).toBe("text/css");
  });

  it("says so if its assets have no documentation", async () => {
    for (const path of ["/docs", "/docs/concepts"]) {
      const response = await worker.get(path, { key: null });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: "not_found", hint: expect.stringContaining("dist/assets") });
    }
  });
});
