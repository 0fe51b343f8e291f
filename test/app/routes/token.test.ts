import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../node/files.ts";
import { MAX_TOKEN_BYTES } from "../../../src/auth/profile-token.ts";
import { adapterOf, masksOf, profilesOf, taskFor } from "../../support/rows.ts";
import { type RunningWorker, startWorker, TOKEN_KEYS } from "../../support/worker.ts";

const TEXT = "The committee met again and nobody was surprised.";
const REQUEST = { task: "demo", profile: "biased", inputs: TEXT, logits: true };

interface Made {
  readonly token: string;
  readonly bytes: number;
  readonly generation: number;
  readonly expiresAt: string;
}

let worker: RunningWorker;
let task: ReturnType<typeof taskFor>;

beforeAll(async () => {
  task = taskFor(await readBundle("bundles/minilm-l6-v2"));
  worker = await startWorker({ vars: { PUBLIC_PREDICT: "false", CACHE_TTL_SECONDS: "0" } });
  await worker.push(task, [
    ...profilesOf(2),
    { id: "biased", masks: masksOf(8), labelBias: Uint8Array.of(3, 128, 16) },
  ]);
});
afterAll(() => worker.close());

async function make(body: object = {}, path = "/v1/profiles/demo/biased/token"): Promise<Made> {
  const response = await worker.request("POST", path, { body });
  expect(response.status).toBe(200);
  return await response.json();
}

// biome-ignore lint/suspicious/noExplicitAny: the answers are what is under test
const predicted = async (response: Response): Promise<any> => {
  const { predictions, code } = await response.json<{ predictions?: unknown[]; code?: string }>();
  return predictions?.[0] ?? code;
};

describe("a token", () => {
  it.each(["profile", "all"])("that carries %s gives the profile's answers, and says so", async (carry) => {
    const { token } = await make({ carry });
    const own = await predicted(await worker.predict(REQUEST));
    expect(await predicted(await worker.predict(REQUEST, { key: token }))).toEqual({ ...own, masks: "token" });
  });

  it("states its profile, generation, size and expiry", async () => {
    const start = Date.now();
    const made = await make({ ttlSeconds: 600 });
    expect(made).toMatchObject({ task: "demo", profile: "biased", generation: 1, bytes: made.token.length });
    const ends = new Date(made.expiresAt).getTime();
    expect(ends).toBeGreaterThan(start + 599_000);
    expect(ends).toBeLessThanOrEqual(Date.now() + 600_000);
    expect(decodeJwt(made.token)).toMatchObject({ aud: `${task.bundle}/demo`, sub: "biased", exp: ends / 1000 });
  });

  it("expires no later than the key that created it", async () => {
    const expiresAt = new Date(Date.now() + 120_000);
    const key = await worker.makeKey({ scopes: ["write"], expiresAt });
    const made = await worker.request("POST", "/v1/profiles/demo/biased/token", { body: { ttlSeconds: 86_400 }, key });
    const ends = new Date((await made.json<Made>()).expiresAt).getTime();
    expect(ends).toBe(Math.floor(expiresAt.getTime() / 1000) * 1000);
  });

  it("is small, and carries the whole head on request", async () => {
    expect((await make()).bytes).toBeLessThan(700);
    expect((await make({ carry: "all" })).bytes).toBeGreaterThan(4 * task.head.length);
  });

  it("works for the other prediction routes, and for no others", async () => {
    const { token: key } = await make();
    const stream = await worker.request("POST", "/v1/predict/stream?task=demo&profile=biased", {
      body: `${JSON.stringify({ text: TEXT })}\n${JSON.stringify({ text: TEXT, profile: "demo-000" })}\n`,
      headers: { "content-type": "application/x-ndjson" },
      key,
    });
    const lines = (await stream.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ masks: "token" }, { error: { code: "token_other_profile" } }, { done: true }]);
    const unnamed = await worker.request("POST", "/v1/predict/stream?task=demo", {
      body: `${JSON.stringify({ text: TEXT })}\n`,
      headers: { "content-type": "application/x-ndjson" },
      key,
    });
    expect(JSON.parse((await unnamed.text()).split("\n")[0] ?? "")).toMatchObject({
      profile: "biased",
      masks: "token",
    });
    const forged = await worker.request("POST", "/v1/predict/stream?task=demo", {
      body: "\n",
      headers: { "content-type": "application/x-ndjson" },
      key: `${key}x`,
    });
    expect(forged.status).toBe(401);
    expect((await worker.request("POST", "/v1/hf/demo/biased", { body: { inputs: TEXT }, key })).status).toBe(200);
    expect((await worker.get("/v1/tasks", { key })).status).toBe(401);
    expect((await worker.get("/v1/profiles/demo/biased", { key })).status).toBe(401);
  });

  it("with the head stays valid after a change of the task, and without it does not", async () => {
    const name = "changing";
    await worker.push({ ...task, name }, profilesOf(1));
    const path = `/v1/profiles/${name}/demo-000/token`;
    const [all, alone] = [await make({ carry: "all" }, path), await make({}, path)];
    const predict = async ({ token: key }: Made) =>
      predicted(await worker.predict({ task: name, profile: "demo-000", inputs: TEXT }, { key }));
    await worker.push({ ...task, name, masks: masksOf(77) }, []);
    expect(await predict(alone)).toMatchObject({ masks: "token" });
    await worker.push({ ...task, name, labels: ["x", "y", "z"] }, profilesOf(1));
    expect(await predict(alone)).toBe("token_stale");
    expect(["low", "middle", "high"]).toContain((await predict(all)).label);
  });

  it("without the head is accepted immediately, even if the old head is still cached", async () => {
    const keeping = await startWorker();
    try {
      await keeping.push(task, profilesOf(1));
      const predict = (key?: string) =>
        keeping.predict({ task: "demo", profile: "demo-000", inputs: TEXT }, key ? { key } : {});
      expect((await predict()).status).toBe(200);
      await keeping.push({ ...task, labels: ["x", "y", "z"] }, profilesOf(1));
      const made = await keeping.request("POST", "/v1/profiles/demo/demo-000/token", { body: {} });
      const { token } = await made.json<Made>();
      expect(["x", "y", "z"]).toContain((await predicted(await predict(token))).label);
    } finally {
      await keeping.close();
    }
  });

  it.each([
    ["head", / with the task's head; /, { labels: Array.from({ length: 80 }, (_, index) => `label ${index}`) }],
    ["adapter", / with the task's head and adapter; /, { adapter: adapterOf(1) }],
  ])("that would be too large with the task's %s is rejected, and is small without", async (_, named, parts) => {
    const large = taskFor(await readBundle("bundles/minilm-l6-v2"), { name: "large", ...parts });
    await worker.push(large, profilesOf(1));
    const path = "/v1/profiles/large/demo-000/token";
    const rejected = await worker.request("POST", path, { body: { carry: "all" } });
    expect([rejected.status, await rejected.json()]).toMatchObject([
      413,
      {
        code: "token_too_large",
        detail: expect.stringMatching(named),
        hint: 'Send "carry": "profile", which leaves out the task\'s head and adapter.',
      },
    ]);
    const made = await make({}, path);
    expect(made.bytes).toBeLessThan(700);
    const request = { task: "large", profile: "demo-000", inputs: TEXT, logits: true };
    const [own, byToken] = [await worker.predict(request), await worker.predict(request, { key: made.token })];
    const { logits } = await predicted(own);
    expect(await predicted(byToken)).toMatchObject({ masks: "token", logits });
  });
});

describe("without a database", () => {
  it("a token is enough for a prediction, signed by any configured key", async () => {
    const own = await predicted(await worker.predict(REQUEST));
    const { token } = await make({ carry: "all" });
    const [, old] = TOKEN_KEYS.split(",");
    const [current] = TOKEN_KEYS.split(",");
    const rotated = `newest:${Buffer.alloc(32, 9).toString("base64")},${current},${old}`;
    const alone = await startWorker({ database: false, vars: { PUBLIC_PREDICT: "false", TOKEN_KEYS: rotated } });
    try {
      expect(await predicted(await alone.predict(REQUEST, { key: token }))).toEqual({ ...own, masks: "token" });
      expect(await (await alone.get("/healthz")).json()).toMatchObject({ ready: true, database: false });
      const thin = await alone.predict(REQUEST, { key: (await make()).token });
      expect(await predicted(thin)).toBe("database_unavailable");
    } finally {
      await alone.close();
    }
  });
});

it("a header can carry tokens of up to 96 KB", async () => {
  const labels = Array.from({ length: 34 }, (_, index) => `label ${index}`);
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2"), { name: "wide", labels }), profilesOf(1));
  const { token, bytes } = await make({ carry: "all" }, "/v1/profiles/wide/demo-000/token");
  expect(bytes).toBeGreaterThan(0.9 * MAX_TOKEN_BYTES);
  const answer = await worker.predict({ task: "wide", profile: "demo-000", inputs: TEXT }, { key: token });
  expect(await predicted(answer)).toMatchObject({ masks: "token" });
});
