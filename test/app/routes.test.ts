import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { adapterOf, headHashOf, masksOf, profilesOf, taskFile, taskFor } from "../support/rows.ts";
import { type RequestOptions, type RunningWorker, startWorker } from "../support/worker.ts";

const NOW = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let worker: RunningWorker;
let bundle: string;

beforeAll(async () => {
  const target = await readBundle("bundles/minilm-l6-v2");
  bundle = target.id;
  worker = await startWorker();
  await worker.push(taskFor(target), profilesOf(2));
  await worker.push(taskFor(target), profilesOf(1));
});
afterAll(() => worker.close());

describe("GET /v1/tasks", () => {
  it("lists the tasks without heads", async () => {
    const response = await worker.get("/v1/tasks");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      tasks: [
        {
          task: "demo",
          bundle,
          labels: ["low", "middle", "high"],
          maxTokens: 32,
          generation: 2,
          updatedAt: expect.stringMatching(NOW),
        },
      ],
      next: null,
    });
  });
});

describe("PUT /v1/tasks/{task}", () => {
  it("writes an adapter that GET returns, and that answers use", async () => {
    const target = await readBundle("bundles/minilm-l6-v2");
    const task = taskFor(target, { name: "adapted" });
    const adapted = taskFile({ ...task, adapter: adapterOf(1) });
    const put = (body: string) => worker.request("PUT", "/v1/tasks/adapted?profiles=delete", { body });
    const scores = async () => {
      const texts = { task: "adapted", profile: "none", onUnknownProfile: "default", inputs: "a text", logits: true };
      return (await worker.predict(texts, { headers: { "cache-control": "no-cache" } })).json<{
        predictions: unknown;
      }>();
    };
    expect((await put(taskFile(task))).status).toBe(200);
    const plain = await scores();
    expect((await put(adapted)).status).toBe(200);
    const read = await worker.get("/v1/tasks/adapted");
    expect(await read.json()).toEqual(JSON.parse(adapted));
    expect(await scores()).not.toMatchObject({ predictions: plain.predictions });
    expect(await (await put(taskFile(task))).json()).toMatchObject({ generation: 3 });
    expect(await (await worker.get("/v1/tasks/adapted")).json()).toEqual(JSON.parse(taskFile(task)));
  });

  it("rejects a damaged adapter by its name", async () => {
    const target = await readBundle("bundles/minilm-l6-v2");
    const task = taskFor(target, { name: "damaged", adapter: adapterOf(1).subarray(1) });
    const response = await worker.request("PUT", "/v1/tasks/damaged", { body: taskFile(task) });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      code: "mismatched_write",
      detail: 'The adapter of task "damaged" has 73775 bytes; this bundle needs 73776.',
      hint: "Write the task's file again from its training.",
    });
  });
});

describe("GET /v1/profiles/{task}/{profile}", () => {
  it("returns the stored row", async () => {
    const [profile] = profilesOf(1);
    const response = await worker.get("/v1/profiles/demo/demo-000");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      task: "demo",
      profile: "demo-000",
      masks: Buffer.from(profile?.masks ?? []).toString("base64"),
      labelBias: null,
      maskBytes: 64,
      labelBiasBytes: 0,
      knownLabels: null,
      headHash: await headHashOf(taskFor(await readBundle("bundles/minilm-l6-v2"))),
      headChangeRank: 0,
      generation: 2,
      updatedAt: expect.stringMatching(NOW),
    });
  });

  it("returns a label bias", async () => {
    const target = await readBundle("bundles/minilm-l6-v2");
    const profile = { id: "biased", masks: masksOf(1), labelBias: Uint8Array.of(0, 127, 128) };
    await worker.push(taskFor(target, { name: "biased" }), [profile]);
    const body = await (await worker.get("/v1/profiles/biased/biased")).json();
    expect(body).toMatchObject({ labelBias: "AH+A", maskBytes: 64, labelBiasBytes: 3 });
  });

  it.each([
    ["/v1/profiles/nothing/demo-000", 404, "unknown_task"],
    ["/v1/profiles/demo/nobody", 404, "unknown_profile"],
    ["/v1/profiles/demo/%20", 422, "invalid_request"],
    ["/v1/profiles/Demo/demo-000", 422, "invalid_request"],
  ])("rejects %s", async (path, status, code) => {
    const response = await worker.get(path);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });
});

describe("PUT /v1/profiles/{task}/{profile}", () => {
  const put = (body: object) => worker.request("PUT", "/v1/profiles/demo/put-here", { body });
  const masks = Buffer.from(masksOf(7)).toString("base64");

  it("accepts a line of profiles.ndjson unchanged, and rejects a line of another profile", async () => {
    expect((await put({ task: "demo", profile: "put-here", masks })).status).toBe(200);
    for (const other of [{ profile: "elsewhere" }, { task: "biased" }]) {
      expect(await (await put({ ...other, masks })).json()).toMatchObject({ code: "mismatched_write" });
    }
  });
});

it.each(["/v1/profiles/demo/demo-000?x=1", "/v1/tasks?limits=3", "/v1/info?verbose", "/healthz?full=1"])(
  "rejects an unknown query parameter: %s",
  async (path) => {
    const response = await worker.get(path);
    expect([response.status, await response.json()]).toMatchObject([
      422,
      { detail: expect.stringMatching(/^the query: /) },
    ]);
  },
);

describe("a slash at the end of a path or of a base URL", () => {
  const masks = Buffer.from(masksOf(3)).toString("base64");
  const ndjson = { headers: { "content-type": "application/x-ndjson" } };

  it.each<[method: string, path: string, options?: RequestOptions]>([
    ["POST", "/v1/predict/", { body: { task: "demo", profile: "demo-000", inputs: "a text" } }],
    ["POST", "/v1/predict/stream/?task=demo&profile=demo-000", { body: '{"text":"a text"}', ...ndjson }],
    ["POST", "/v1/hf/demo/demo-000/", { body: { inputs: "a text" } }],
    ["GET", "/v1/hf/demo/demo-000/health/"],
    ["GET", "/v1/hf/demo/demo-000/info/"],
    ["POST", "/v1/tei/demo/demo-000/predict/", { body: { inputs: "a text" } }],
    ["POST", "/v1/tei/demo/demo-000//predict", { body: { inputs: "a text" } }],
    ["POST", "//v1/predict", { body: { task: "demo", profile: "demo-000", inputs: "a text" } }],
    ["GET", "/v1/tei/demo/demo-000/health/"],
    ["GET", "/v1/tei/demo/demo-000/info/"],
    ["GET", "/v1/tasks/"],
    ["GET", "/v1/tasks/demo/"],
    ["GET", "/v1/tasks/demo/export/?limit=1"],
    ["POST", "/v1/tasks/demo/import/?dryRun=true", { body: "\n", ...ndjson }],
    ["GET", "/v1/profiles/demo/?limit=1"],
    ["GET", "/v1/profiles/demo/demo-000/"],
    ["PUT", "/v1/profiles/demo/slash/", { body: { masks } }],
    ["GET", "/v1/profiles/demo/demo-000/history/"],
    ["POST", "/v1/profiles/demo/demo-000/token/", { body: {} }],
    ["DELETE", "/v1/profiles/demo/demo-001/"],
    ["GET", "/v1/info/"],
    ["GET", "/healthz/"],
    ["GET", "/openapi.json/"],
    ["GET", "/api/"],
    ["GET", "/teach/"],
  ])("changes nothing: %s %s", async (method, path, options = {}) => {
    // A path that begins with two slashes would name another host.
    const response = await worker.request(method, new URL(worker.url.origin + path).href, options);
    expect([response.status, response.redirected]).toEqual([200, false]);
  });

  it("changes no error either", async () => {
    expect(await (await worker.request("DELETE", "/v1/predict/")).json()).toMatchObject({ code: "method_not_allowed" });
    expect(await (await worker.get("/v1/nothing/")).json()).toMatchObject({ code: "not_found" });
  });
});

describe("an id that is none", () => {
  const HINT = expect.stringContaining("use a hash");

  it.each([
    ["_team", /^profile: "_team" begins with "_"\. A profile's id has 1 to 128/],
    ["jo+news@example.org", /^profile: "jo\+news@example\.org" has "\+" in it\./],
  ])("is named, with what to do: %s", async (profile, detail) => {
    const fault = { code: "invalid_request", detail: expect.stringMatching(detail), hint: HINT };
    const inputs = "a text";
    const id = encodeURIComponent(profile);
    const requests = [
      worker.predict({ task: "demo", profile, inputs }),
      worker.request("POST", `/v1/hf/demo/${id}`, { body: { inputs } }),
      worker.request("POST", `/v1/tei/demo/${id}/predict`, { body: { inputs } }),
      worker.request("PUT", `/v1/profiles/demo/${id}`, { body: { masks: Buffer.from(masksOf(3)).toString("base64") } }),
    ];
    for (const request of requests) expect(await (await request).json()).toMatchObject(fault);
    const mixed = await worker.predict({ task: "demo", inputs: [{ profile, text: inputs }] });
    expect(await mixed.json()).toMatchObject({ detail: expect.stringMatching(/^inputs\[0\]\.profile: /), hint: HINT });
    const line = await worker.request("POST", "/v1/predict/stream?task=demo", {
      body: JSON.stringify({ profile, text: inputs }),
      headers: { "content-type": "application/x-ndjson" },
    });
    expect(JSON.parse((await line.text()).split("\n")[0] ?? "")).toMatchObject({ line: 1, error: fault });
  });
});

describe("GET /healthz", () => {
  it("predicts a text, and reports the bundle and the encoder's memory", async () => {
    const response = await worker.get("/healthz");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      ready: true,
      bundle,
      probe: { tokens: 8, milliseconds: expect.any(Number) },
      waitingTokens: 0,
      heapBytes: expect.any(Number),
      database: true,
    });
  });
});

describe.each(["/", "/teach", "/profiles"])("GET %s", (path) => {
  it("returns a page that runs only the Worker's script and its own style", async () => {
    const response = await worker.get(path);
    const page = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    const [, nonce] = policy.match(/style-src 'nonce-([^']+)'/) ?? [];
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(page.match(/<style[^>]*>/g)).toEqual([`<style nonce="${nonce}">`]);
    const [script = ""] = page.match(/(?<=<script type="module" src=")[^"]+/) ?? [];
    expect(page.match(/<script/g)).toHaveLength(1);
    // An XML namespace is a name and is not fetched.
    expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|\son\w+=/);
    const fetched = await worker.get(script);
    expect(fetched.headers.get("content-type")).toBe("text/javascript");
    expect(fetched.headers.get("cache-control")).toBe("public, max-age=31536000");
  });

  it("uses a new nonce for each response", async () => {
    const [one, other] = await Promise.all([worker.get(path), worker.get(path)]);
    expect(one.headers.get("content-security-policy")).not.toBe(other.headers.get("content-security-policy"));
  });
});

it("leads from the page's old address to the new one", async () => {
  const response = await fetch(new URL("/learn", worker.url), { redirect: "manual" });
  expect([response.status, response.headers.get("location")]).toEqual([301, "/teach"]);
});

describe("the key of npm start", () => {
  let local: RunningWorker;
  beforeAll(async () => {
    local = await startWorker({ vars: { LOCAL_PAGE_KEY: "xpk_of_this_machine" } });
  });
  afterAll(() => local?.close());

  /** Returns the page as a server sends it to a host's name. */
  const pageFor = async (host: string, destination: string): Promise<string> => {
    const sent = request(local.url.href, { headers: { host, "sec-fetch-dest": destination } }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    return String(Buffer.concat(await response.toArray()));
  };

  it("is in the page that a browser on this machine opens, and in no other", async () => {
    const { port } = local.url;
    expect(await pageFor(`localhost:${port}`, "document")).toContain("xpk_of_this_machine");
    expect(await pageFor(`127.0.0.1:${port}`, "document")).toContain("xpk_of_this_machine");
    // A script of another site, and another site's name for this machine's address.
    expect(await pageFor(`localhost:${port}`, "empty")).not.toContain("xpk_");
    expect(await pageFor(`attacker.example:${port}`, "document")).not.toContain("xpk_");
    expect(await (await worker.get("/", { headers: { "sec-fetch-dest": "document" } })).text()).not.toContain("xpk_");
  });
});

it("gives every response a request id, the caller's if it sends one", async () => {
  const own = await fetch(new URL("/v1/tasks", worker.url), { headers: { "x-request-id": "my-request" } });
  expect(own.headers.get("x-request-id")).toBe("my-request");
  expect((await worker.get("/v1/tasks")).headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});
