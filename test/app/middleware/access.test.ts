import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../node/files.ts";
import { SCOPES } from "../../../src/auth/access.ts";
import { GUARDED_ROUTES, PERMITTED_STATUSES, SERVICE_ROUTES } from "../../support/guarded-routes.ts";
import { masksOf, profilesOf, taskFor } from "../../support/rows.ts";
import { type RunningWorker, secretOf, startWorker } from "../../support/worker.ts";

const NDJSON = { "content-type": "application/x-ndjson" };

let worker: RunningWorker;
let task: ReturnType<typeof taskFor>;

beforeAll(async () => {
  task = taskFor(await readBundle("bundles/minilm-l6-v2"));
  worker = await startWorker({ vars: { PUBLIC_PREDICT: "false", CACHE_TTL_SECONDS: "30" } });
  await worker.push(task, [...profilesOf(3), { id: "team-a", masks: masksOf(8), labelBias: null }]);
  await worker.push({ ...task, name: "other" }, profilesOf(3));
});
afterAll(() => worker.close());

const codeOf = async (response: Response) => (response.ok ? "ok" : (await response.json<{ code: string }>()).code);

const made = (name: string, key: string | null) => {
  const [method, path, options] = GUARDED_ROUTES[name]?.request("demo", "demo-000", task) ?? ["", ""];
  return worker.request(method, path, { ...options, key });
};

it("covers every guarded route of the OpenAPI document", async () => {
  const { paths } = await (await worker.get("/openapi.json", { key: null })).json<{ paths: Record<string, object> }>();
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(routes.sort()).toEqual([...Object.keys(GUARDED_ROUTES), "get /healthz"].sort());
});

describe("scopes", () => {
  it.each(Object.entries(GUARDED_ROUTES))("%s accepts only its scope", async (name, { scope }) => {
    for (const only of SCOPES) {
      const response = await made(name, await worker.makeKey({ scopes: [only] }));
      if (only === scope) expect(PERMITTED_STATUSES).toContain(response.status);
      else expect([response.status, await codeOf(response)]).toEqual([403, "scope_missing"]);
    }
  });

  it.each(Object.keys(GUARDED_ROUTES))("%s requires a known key", async (name) => {
    expect(await codeOf(await made(name, null))).toBe("key_missing");
    const secret = secretOf(worker.adminKey);
    const forged = worker.adminKey.replace(
      secret,
      secret.replace(/^./, (c) => (c === "A" ? "B" : "A")),
    );
    expect(await codeOf(await made(name, forged))).toBe("key_invalid");
  });
});

it("who may only predict learns no ids by a fan-out", async () => {
  const fanOut = (profiles: unknown, key: string | null) =>
    worker.request("POST", "/v1/fanout", { key, body: { task: "demo", text: "a text", profiles } });
  const predicts = await worker.makeKey({ scopes: ["predict"] });
  for (const profiles of ["all", { prefix: "" }, { prefix: "demo-000" }]) {
    expect(await (await fanOut(profiles, predicts)).json()).toMatchObject({
      status: 403,
      code: "scope_missing",
      hint: expect.stringMatching(/--scope predict list$/),
    });
    const lists = await worker.makeKey({ scopes: ["predict", "list"] });
    expect((await fanOut(profiles, lists)).status).toBe(200);
  }
  expect((await fanOut(["demo-000"], predicts)).status).toBe(200);
  expect(await codeOf(await fanOut(["demo-000"], await worker.makeKey({ scopes: ["list"] })))).toBe("scope_missing");
});

describe("a confined key", () => {
  const outside = { status: 403, code: "outside_confinement" };
  const confinedTo = (task: string, profilePrefix: string) => worker.makeKey({ task, profilePrefix });

  it.each(Object.entries(GUARDED_ROUTES))(
    "to a task and a prefix permits nothing else: %s",
    async (name, { scope, request }) => {
      const key = await confinedTo("demo", "team-");
      const call = async (name: string, profile: string) => {
        const [method, path, options] = request(name, profile, task);
        return worker.request(method, path, { ...options, key });
      };
      if (SERVICE_ROUTES.includes(name)) return expect((await call("demo", "team-a")).status).toBe(200);
      if (name === "get /v1/tasks") {
        const { tasks } = await (await call("other", "")).json<{ tasks: { task: string }[] }>();
        return expect(tasks.map(({ task }) => task)).toEqual(["demo"]);
      }
      expect(await (await call("other", "team-a")).json()).toMatchObject(outside);
      if (scope === "admin" || scope === "learn-task")
        return expect(await (await call("demo", "team-a")).json()).toMatchObject(outside);
      expect(PERMITTED_STATUSES).toContain((await call("demo", "team-a")).status);
      if (name.includes("import")) {
        const [line] = (await (await call("demo", "demo-000")).text()).split("\n");
        return expect(JSON.parse(line ?? "")).toMatchObject({ status: "failed", error: outside });
      }
      if (name.endsWith("export") || name === "get /v1/profiles/{task}") {
        const listed = await (await call("demo", "")).text();
        expect(listed).toContain("team-a");
        return expect(listed).not.toContain("demo-0");
      }
      if (!name.includes("{profile}") && scope === "write") return;
      expect(await (await call("demo", "demo-000")).json()).toMatchObject(outside);
    },
  );

  it("rejects a whole request if one profile is outside, but only that line of a stream", async () => {
    const key = await confinedTo("demo", "team-");
    const inputs = ["team-a", "demo-000"].map((profile) => ({ profile, text: "a text" }));
    expect(await (await worker.predict({ task: "demo", inputs }, { key })).json()).toMatchObject(outside);
    const body = inputs.map((input) => `${JSON.stringify(input)}\n`).join("");
    const stream = await worker.request("POST", "/v1/predict/stream?task=demo", { body, key, headers: NDJSON });
    const lines = (await stream.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ profile: "team-a" }, { error: outside }, { done: true, answered: 1, failed: 1 }]);
  });

  it("fans out over its prefix alone", async () => {
    const key = await confinedTo("demo", "team-");
    const fanOut = (profiles: unknown) =>
      worker.request("POST", "/v1/fanout", { key, body: { task: "demo", text: "a text", profiles } });
    for (const profiles of ["all", { prefix: "" }, { prefix: "te" }, { prefix: "team-" }, ["team-a"]]) {
      const lines = (await (await fanOut(profiles)).text()).trimEnd().split("\n");
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ profile: "team-a" }, { done: true, profiles: 1 }]);
    }
    expect(await (await fanOut({ prefix: "team-b" })).json()).toMatchObject({ done: true, profiles: 0 });
    for (const profiles of [{ prefix: "demo" }, ["team-a", "demo-000"]]) {
      expect(await (await fanOut(profiles)).json()).toMatchObject(outside);
    }
  });

  it("cannot list another prefix, and can narrow its prefix", async () => {
    const key = await confinedTo("demo", "team-");
    expect(await codeOf(await worker.get("/v1/profiles/demo?prefix=demo", { key }))).toBe("outside_confinement");
    expect(await (await worker.get("/v1/profiles/demo?prefix=team-b", { key })).json()).toMatchObject({ profiles: [] });
    expect(await (await worker.get("/v1/profiles/demo?prefix=te", { key })).json()).toMatchObject({
      profiles: [{ profile: "team-a" }],
    });
  });
});

describe("keys", () => {
  it("are accepted until they expire", async () => {
    const key = (expiresAt: Date) => worker.makeKey({ expiresAt });
    expect(await codeOf(await worker.get("/v1/tasks", { key: await key(new Date(Date.now() - 1)) }))).toBe(
      "key_expired",
    );
    expect((await worker.get("/v1/tasks", { key: await key(new Date(Date.now() + 60_000)) })).status).toBe(200);
  });

  it("record their last use, and are stored as hashes", async () => {
    const key = await worker.makeKey({ name: "noted" });
    await worker.get("/v1/tasks", { key });
    await expect
      .poll(() => worker.db.prepare("SELECT last_used_at FROM keys WHERE name = 'noted'").first("last_used_at"))
      .toBeGreaterThan(Date.now() - 60_000);
    const { results } = await worker.db.prepare("SELECT * FROM keys").all();
    expect(JSON.stringify(results)).not.toContain(secretOf(key));
  });

  it("are rejected right after revocation by a request that bypasses the caches", async () => {
    const key = await worker.makeKey({ name: "revoked" });
    expect((await worker.get("/v1/tasks", { key })).status).toBe(200);
    await worker.db.prepare("DELETE FROM keys WHERE name = 'revoked'").run();
    expect((await worker.get("/v1/tasks", { key })).status).toBe(200);
    const fresh = await worker.get("/v1/tasks", { key, headers: { "cache-control": "no-cache" } });
    expect(await codeOf(fresh)).toBe("key_invalid");
    expect(await codeOf(await worker.get("/v1/tasks", { key }))).toBe("key_invalid");
  });

  it.each([["Basic eDp5"], ["Bearer"], ["Bearer a b"], ["xpk_0123456789abcdef_x"], ["Bearer xpk_' OR 1=1"]])(
    "are not %s",
    async (authorization) => {
      const response = await worker.get("/v1/tasks", { key: null, headers: { authorization } });
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
      expect(await codeOf(response)).toBe("key_invalid");
    },
  );
});
