import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Servers } from "../conformance.ts";
import { type Answer, type AskOptions, answerOf, ask, open } from "../http.ts";
import { ORIGIN, type RuntimeName } from "../runtime.ts";

const JSON_TYPE = { "content-type": "application/json" };
const REQUEST = { task: "demo", profile: "demo-000", inputs: "Some text." };
const predict = (parts: object): AskOptions => ({ body: { ...REQUEST, ...parts } });

/** Most bytes of a body with texts. */
const MOST = 256 * 1024;

const LEARN = "/v1/profiles/demo/demo-000/learn";

const CASES: readonly (readonly [
  what: string,
  method: string,
  path: string,
  options: AskOptions,
  status: number,
  code: string,
])[] = [
  ["an unknown route", "GET", "/v2/predict", {}, 404, "not_found"],
  ["a file of the bundle", "GET", "/manifest.json", {}, 404, "not_found"],
  ["a path that climbs", "GET", "/docs/../manifest.json", {}, 404, "not_found"],
  ["a wrong method", "GET", "/v1/predict", {}, 405, "method_not_allowed"],
  ["a method that no route has", "PATCH", "/v1/tasks/demo", {}, 405, "method_not_allowed"],
  ["an unknown task", "POST", "/v1/predict", predict({ task: "nothing" }), 404, "unknown_task"],
  ["an unknown profile", "POST", "/v1/predict", predict({ profile: "nobody" }), 404, "unknown_profile"],
  ["no inputs", "POST", "/v1/predict", predict({ inputs: [] }), 422, "invalid_request"],
  ["half a surrogate pair", "POST", "/v1/predict", predict({ inputs: "\ud83d" }), 422, "invalid_request"],
  ["a text of spaces", "POST", "/v1/predict", predict({ inputs: " \t" }), 422, "empty_text"],
  ["no body", "POST", "/v1/predict", { body: "" }, 400, "invalid_json"],
  ["half an object", "POST", "/v1/predict", { body: '{"task"' }, 400, "invalid_json"],
  ["bytes that are not UTF-8", "POST", "/v1/predict", { body: Buffer.of(0x22, 0xff, 0x22) }, 400, "invalid_unicode"],
  [
    "a wrong content type",
    "POST",
    "/v1/predict",
    { ...predict({}), headers: { "content-type": "text/plain" } },
    415,
    "unsupported_media_type",
  ],
  [
    "a compressed body",
    "POST",
    "/v1/predict",
    { body: gzipSync("{}"), headers: { "content-encoding": "gzip" } },
    415,
    "unsupported_media_type",
  ],
  [
    "a body that is too large",
    "POST",
    "/v1/predict",
    { body: JSON.stringify(REQUEST).padEnd(MOST + 1) },
    413,
    "payload_too_large",
  ],
  ["JSON for JSON Lines", "POST", "/v1/predict/stream?task=demo", predict({}), 415, "unsupported_media_type"],
  ["a query that no route has", "GET", "/v1/tasks?limits=3", {}, 422, "invalid_request"],
  [
    "a malformed bookmark",
    "GET",
    "/v1/tasks",
    { headers: { "x-d1-bookmark": "first-primary" } },
    422,
    "invalid_request",
  ],
  [
    "a malformed If-Match",
    "PUT",
    "/v1/profiles/demo/x",
    { body: { masks: "" }, headers: { "if-match": "three" } },
    422,
    "invalid_request",
  ],
  ["no key", "GET", "/v1/profiles/demo", { key: null }, 401, "key_missing"],
  ["an unknown key", "GET", "/v1/tasks", { key: `xpk_0123456789abcdef_${"A".repeat(43)}` }, 401, "key_invalid"],
  ["an encoded slash in an id", "GET", "/v1/profiles/demo/a%2Fb", {}, 422, "invalid_request"],
  ["bytes in a path that are not UTF-8", "GET", "/v1/profiles/demo/%ff", {}, 422, "invalid_request"],
  ["no examples", "POST", LEARN, { body: { examples: [] } }, 422, "too_few_examples"],
];

/** Expects the documented fields, and no others. */
function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.headers["content-type"]]).toEqual([status, "application/problem+json"]);
  const body = answer.json();
  expect(body).toEqual({
    type: `urn:xpeft:problem:${code}`,
    title: expect.stringMatching(/\S/),
    status,
    detail: expect.stringMatching(/\S/),
    code,
    hint: expect.stringMatching(/\S/),
    instance: `urn:xpeft:request:${answer.headers["x-request-id"]}`,
    error: body.detail,
    error_type: expect.stringMatching(/^(Validation|Empty|Overloaded|Backend|Unhealthy)$/),
  });
}

/** Rejected requests, and methods that no route declares. */
export function errors(_: RuntimeName, servers: Servers): void {
  describe("an error", () => {
    const send = (method: string, path: string, options?: AskOptions) => ask(servers.main, method, path, options);

    it.each(CASES)("is the problem of %s", async (_, method, path, options, status, code) => {
      const answer = await send(method, path, options);
      expectProblem(answer, status, code);
    });

    it.each(["/docs/..%2fmanifest.json", "/docs/%2e%2e/manifest.json", "/docs/..%5cmanifest.json", "//manifest.json"])(
      "comes instead of a file beside the documentation: %s",
      async (path) => expect([307, 404]).toContain((await send("GET", path)).status),
    );

    it("says which methods a route accepts", async () => {
      expect((await send("GET", "/v1/predict")).headers.allow).toBe("POST");
      expect((await send("PATCH", "/v1/tasks/demo")).headers.allow?.split(", ").sort()).toEqual([
        "DELETE",
        "GET",
        "HEAD",
        "PUT",
      ]);
    });

    it("has the caller's request id", async () => {
      const answer = await send("GET", "/v2", { headers: { "x-request-id": "mine-1" } });
      expect([answer.headers["x-request-id"], answer.json().instance]).toEqual(["mine-1", "urn:xpeft:request:mine-1"]);
    });

    it("of a chunked body comes when it is too large, and the largest body is accepted", async () => {
      const upload = (bytes: number) => {
        const request = open(servers.main, "POST", "/v1/predict", { headers: JSON_TYPE });
        const answer = answerOf(request);
        request.on("error", () => {});
        request.write(JSON.stringify(REQUEST));
        request.end(" ".repeat(bytes - JSON.stringify(REQUEST).length));
        return answer;
      };
      expect((await upload(MOST)).status).toBe(200);
      expectProblem(await upload(MOST + 1), 413, "payload_too_large");
      expect((await send("POST", "/v1/predict", { body: JSON.stringify(REQUEST).padEnd(MOST) })).status).toBe(200);
    });

    it("of a body that is declared too large comes before its bytes", async () => {
      const request = open(servers.main, "POST", "/v1/predict", {
        headers: { ...JSON_TYPE, "content-length": String(10 * MOST) },
      });
      request.on("error", () => {});
      request.write("{");
      expectProblem(await answerOf(request), 413, "payload_too_large");
      request.destroy();
    });

    it("of a chunked body without an end waits for no more than the part that is too large", async () => {
      const request = open(servers.main, "POST", "/v1/predict", { headers: JSON_TYPE });
      request.on("error", () => {});
      request.write(" ".repeat(MOST + 1));
      expectProblem(await answerOf(request), 413, "payload_too_large");
      request.destroy();
    });

    it("does not end the connection for the next request", async () => {
      const { Agent, request: httpRequest } = await import("node:http");
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const statuses: (number | undefined)[] = [];
      for (const body of ["{", JSON.stringify(REQUEST), "{}", JSON.stringify(REQUEST)]) {
        const { hostname, port } = servers.main.url;
        const request = httpRequest({ agent, hostname, port, path: "/v1/predict", method: "POST", headers: JSON_TYPE });
        request.end(body);
        const [response] = await once(request, "response");
        statuses.push(response.statusCode);
        await response.toArray();
      }
      agent.destroy();
      expect(statuses).toEqual([400, 200, 422, 200]);
    });
  });

  describe("methods that no route declares", () => {
    const send = (method: string, path: string, options?: AskOptions) => ask(servers.main, method, path, options);

    it.each(["/", "/v1/tasks", "/openapi.json", "/docs/", "/docs/no-such", "/app.js", "/v2"])(
      "HEAD %s has GET's headers, and no body",
      async (path) => {
        const [head, got] = [await send("HEAD", path), await send("GET", path)];
        const names = ({ headers }: Answer) =>
          Object.keys(headers).filter((name) => !["content-length", "transfer-encoding"].includes(name));
        expect([head.status, head.text, names(head)]).toEqual([got.status, "", names(got)]);
      },
    );

    it("OPTIONS allows the pages of the setting, and no others", async () => {
      const preflight = (origin: string) =>
        send("OPTIONS", "/v1/predict", {
          key: null,
          headers: {
            origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,x-own",
          },
        });
      const allowed = await preflight(ORIGIN);
      expect([allowed.status, allowed.text, allowed.headers["access-control-allow-origin"]]).toEqual([204, "", ORIGIN]);
      expect(allowed.headers["access-control-allow-headers"]).toBe("authorization,x-own");
      expect((await preflight("https://evil.example")).headers["access-control-allow-origin"]).toBeUndefined();
    });

    it.each(["//v1/tasks", "/v1//tasks", "/v1/tasks/", "//v1//tasks//"])(
      "GET %s is the path with single slashes",
      async (path) => {
        expect((await send("GET", path)).json()).toEqual((await send("GET", "/v1/tasks")).json());
      },
    );
  });

  it("answers a body that comes with Expect: 100-continue", async () => {
    const body = JSON.stringify(REQUEST);
    const request = open(servers.main, "POST", "/v1/predict", {
      headers: { ...JSON_TYPE, "content-length": String(body.length), expect: "100-continue" },
    });
    const answer = answerOf(request);
    request.flushHeaders();
    await once(request, "continue");
    request.end(body);
    expect((await answer).status).toBe(200);
  });
}
