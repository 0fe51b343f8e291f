import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { sendPartialBody } from "../support/partial-body.ts";
import { masksOf, profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

let worker: RunningWorker;

beforeAll(async () => {
  const bundle = await readBundle("bundles/minilm-l6-v2");
  worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "0" } });
  await worker.push(taskFor(bundle), profilesOf(2));
  await worker.push(taskFor(bundle, { name: "elsewhere", bundle: "1".repeat(32) }), profilesOf(1));
});
afterAll(() => worker.close());

const post = (body: BodyInit | null, headers: Record<string, string> = { "content-type": "application/json" }) =>
  fetch(new URL("/v1/predict", worker.url), { method: "POST", headers, body });

const request = (parts: object) =>
  JSON.stringify({ task: "demo", profile: "demo-000", inputs: "Some text.", ...parts });

/** Checks that an answer is the expected problem, with exactly the documented fields. */
async function expectProblem(response: Response, status: number, code: string, detail?: string | RegExp) {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = await response.json<{ detail: string }>();
  expect(body).toEqual({
    type: `urn:xpeft:problem:${code}`,
    title: expect.stringMatching(/\S/),
    status,
    detail: expect.stringMatching(detail ?? /\S/),
    code,
    hint: expect.stringMatching(/\S/),
    instance: `urn:xpeft:request:${response.headers.get("x-request-id")}`,
    error: body.detail,
    error_type: expect.stringMatching(/^(Validation|Empty|Backend|Unhealthy)$/),
  });
  expect(response.status).toBe(status);
}

describe("invalid requests", () => {
  it.each([
    ["an unknown task", { task: "nothing" }, 404, "unknown_task", /"nothing"/],
    ["an unknown profile", { profile: "nobody" }, 404, "unknown_profile", /"nobody"/],
    ["a task of another bundle", { task: "elsewhere" }, 409, "bundle_mismatch", /1{32}/],
    ["no inputs", { inputs: [] }, 422, "invalid_request", /^inputs: /],
    ["65 inputs", { inputs: Array(65).fill("x") }, 422, "invalid_request", /^inputs: .*64/],
    ["inputs of the wrong type", { inputs: 5 }, 422, "invalid_request", /^inputs: /],
    ["one input of the wrong type", { inputs: ["a", { text: 5 }] }, 422, "invalid_request", /^inputs\[1\]\.text: /],
    ["an input without text", { inputs: [{ textPair: "b" }] }, 422, "invalid_request", /^inputs\[0\]\.text: /],
    ["null for a text", { inputs: ["a", null] }, 422, "invalid_request", /^inputs\[1\]: /],
    ["an unknown field in an input", { inputs: { text: "a", txet: "b" } }, 422, "invalid_request", /txet/],
    ["an unknown field", { score: true }, 422, "invalid_request", /score/],
    ["an invalid task name", { task: "No Task" }, 422, "invalid_request", /^task: /],
    ["an invalid profile id", { profile: "a/b" }, 422, "invalid_request", /^profile: /],
    ["a field of the wrong type", { scores: "yes" }, 422, "invalid_request", /^scores: /],
    ["half of a surrogate pair", { inputs: "\ud83d" }, 422, "invalid_request", /^inputs: .*surrogate/],
    [
      "half of a surrogate pair in a list",
      { inputs: ["a", "\udc00"] },
      422,
      "invalid_request",
      /^inputs\[1\]: .*surrogate/,
    ],
    ["an empty text", { inputs: "" }, 422, "empty_text", undefined],
    ["a text of spaces", { inputs: ["a", " \t\n"] }, 422, "empty_text", undefined],
  ])("rejects %s", async (_, parts, status, code, detail) => {
    await expectProblem(await post(request(parts)), status, code, detail);
  });

  it("names a missing field", async () => {
    await expectProblem(await post('{"task":"demo","inputs":"a"}'), 422, "invalid_request", /profile/);
  });

  it.each([
    ["nothing", ""],
    ["half an object", '{"task": "demo"'],
    ["plain text", "hello"],
  ])("rejects a body of %s", async (_, body) => {
    await expectProblem(await post(body), 400, "invalid_json");
  });

  it("logs no error when a caller disconnects in the middle of a body", async () => {
    worker.harness.clearLogs();
    const upload = httpRequest(new URL("/v1/predict", worker.url).href, {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": "400" },
    });
    upload.on("error", () => {});
    upload.write('{"task":');
    await new Promise((resolve) => setTimeout(resolve, 300));
    upload.destroy();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(worker.harness.getLogs().filter(({ level }) => level === "error")).toEqual([]);
  });

  it("rejects a compressed body", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    await expectProblem(await post(request({}), headers), 415, "unsupported_media_type", /gzip/);
  });

  it("never quotes the body", async () => {
    const response = await post('{"task": secret-words');
    expect(await response.text()).not.toContain("secret");
  });

  it.each([["[]"], ['"text"'], ["null"]])("rejects a body that is not an object: %s", async (body) => {
    await expectProblem(await post(body), 422, "invalid_request", /^the body: /);
  });

  it("rejects a body that is not UTF-8", async () => {
    const broken = Buffer.concat([
      Buffer.from('{"task":"demo","profile":"demo-000","inputs":"'),
      Buffer.from([0xff, 0x22, 0x7d]),
    ]);
    await expectProblem(await post(broken), 400, "invalid_unicode");
  });

  it.each([["text/plain"], ["application/x-www-form-urlencoded"]])("rejects the content type %s", async (type) => {
    await expectProblem(await post(request({}), { "content-type": type }), 415, "unsupported_media_type");
  });

  it("accepts JSON with a charset", async () => {
    expect((await post(request({}), { "content-type": "application/json; charset=utf-8" })).status).toBe(200);
  });

  it("rejects a body over 256 KB and accepts one of 256 KB", async () => {
    const bodyOf = (bytes: number) => request({}).padEnd(bytes, " ");
    expect((await post(bodyOf(262144))).status).toBe(200);
    await expectProblem(await post(bodyOf(262145)), 413, "payload_too_large", /262144/);
  });

  it("rejects a body over 256 KB without a content length", async () => {
    const upload = httpRequest(new URL("/v1/predict", worker.url).href, {
      method: "POST",
      headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
    });
    for (let kilobyte = 0; kilobyte < 257; kilobyte++) upload.write(" ".repeat(1024));
    upload.end();
    const [response] = (await once(upload, "response")) as [IncomingMessage];
    const body = JSON.parse((await response.toArray()).join(""));
    expect(response.statusCode).toBe(413);
    expect(body.code).toBe("payload_too_large");
  });
});

it("rejects a body that stalls, and does nothing when its rest arrives later", async () => {
  const path = "/v1/profiles/demo/slow";
  const body = JSON.stringify({ masks: Buffer.from(masksOf(3)).toString("base64") });
  const { request, response } = await sendPartialBody(worker, {
    method: "PUT",
    path,
    begin: body.slice(0, 20),
    bytes: body.length,
  });
  await expectProblem(response, 408, "body_too_slow");
  request.end(body.slice(20));
  await sleep(500);
  expect((await worker.get(path)).status).toBe(404);
});

describe("unknown paths and methods", () => {
  it("rejects a path without a route", async () => {
    await expectProblem(await worker.get("/v2/predict"), 404, "not_found", /\/v2\/predict/);
  });

  it("serves no file of the bundle", async () => {
    await expectProblem(await worker.get("/manifest.json"), 404, "not_found");
    await expectProblem(await worker.get("/encoder.onnx"), 404, "not_found");
  });

  it("rejects a method that a route does not accept, and lists those that it does", async () => {
    const response = await worker.get("/v1/predict");
    expect(response.headers.get("allow")).toBe("POST");
    await expectProblem(response, 405, "method_not_allowed", /GET/);
  });
});

describe("faults of the service", () => {
  it("reports damaged rows, masks and label biases", async () => {
    await worker.db.exec("UPDATE profiles SET masks = x'00' WHERE task = 'demo' AND id = 'demo-001'");
    await expectProblem(await post(request({ profile: "demo-001" })), 500, "invalid_mask");
    await worker.db.exec("UPDATE profiles SET label_bias = x'00' WHERE task = 'demo' AND id = 'demo-000'");
    await expectProblem(await post(request({ profile: "demo-000" })), 500, "invalid_label_bias");
    await worker.db.exec("UPDATE profiles SET label_bias = NULL");
    await worker.db.exec(
      "INSERT INTO tasks SELECT 'odd', bundle, labels, max_tokens, x'000000000000000000000000', masks, 1, 1, NULL FROM tasks WHERE name = 'demo'",
    );
    const odd = request({ task: "odd", onUnknownProfile: "default" });
    await expectProblem(await post(odd), 500, "invalid_row");
  });

  it("reports a failing database without its cause, and logs it once without the text", async () => {
    worker.harness.clearLogs();
    await worker.db.exec("ALTER TABLE profiles RENAME TO gone");
    const response = await post(request({ inputs: "very secret words" }));
    await worker.db.exec("ALTER TABLE gone RENAME TO profiles");
    const copy = response.clone();
    await expectProblem(response, 503, "database_unavailable");
    expect(await copy.text()).not.toMatch(/profiles|SQL/);

    const errors = worker.harness.getLogs().filter(({ level }) => level === "error");
    expect(errors).toHaveLength(1);
    const entry = JSON.parse(errors[0]?.message ?? "");
    expect(entry).toMatchObject({
      level: "error",
      code: "database_unavailable",
      cause: expect.stringContaining("no such table"),
    });
    expect(entry.request).toBe(copy.headers.get("x-request-id"));
    expect(JSON.stringify(errors)).not.toContain("secret");
  });
});
