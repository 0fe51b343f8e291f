import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROBLEM_CODES, statusOf } from "../../app/http/problem-codes.ts";
import {
  type Client,
  createClient,
  learning,
  lines,
  ProblemError,
  type ProblemStatus,
  unwrap,
} from "../../client/index.ts";
import { toBase64 } from "../../src/lib/base64.ts";
import { examplesOf } from "../support/examples.ts";
import { masksOf } from "../support/rows.ts";
import { LONG, startReferenceWorker, TEXT } from "./reference-worker.ts";

let reference: Awaited<ReturnType<typeof startReferenceWorker>>;
let client: Client;

const demo = { task: "demo", profile: "demo-000" };

beforeAll(async () => {
  reference = await startReferenceWorker({ vars: { PUBLIC_PREDICT: "false" } });
  client = createClient(reference.worker.url, { key: reference.worker.adminKey });
});
afterAll(() => reference.worker.close());

describe("the typed client", () => {
  it("predicts for one profile", async () => {
    const response = await client.v1.predict.$post({ json: { ...demo, inputs: TEXT, topK: 3 } });
    if (response.status !== 200) throw new Error(response.statusText);
    const { predictions } = await response.json();
    expect(predictions[0]?.top).toEqual(await reference.ranked(TEXT, "scores"));
  });

  it("predicts for many profiles", async () => {
    const inputs = ["demo-000", "demo-001"].map((profile) => ({ profile, text: TEXT }));
    const { predictions } = await unwrap(client.v1.predict.$post({ json: { task: "demo", inputs } }));
    expect(predictions.map(({ profile, masks }) => [profile, masks])).toEqual([
      ["demo-000", "profile"],
      ["demo-001", "profile"],
    ]);
  });

  it("predicts like the other clients", async () => {
    const expected = await reference.ranked(TEXT, "scores");
    const huggingFace = client.v1.hf[":task"][":profile"];
    expect(await unwrap(huggingFace.$post({ param: demo, json: { inputs: TEXT } }))).toEqual([expected]);
    const tei = client.v1.tei[":task"][":profile"].predict;
    expect(await unwrap(tei.$post({ param: demo, json: { inputs: TEXT } }))).toEqual(expected);
  });

  it("predicts for a stream of texts", async () => {
    const body = [TEXT, LONG].map((text) => `${JSON.stringify({ text })}\n`).join("");
    const response = await client.v1.predict.stream.$post(
      { query: { ...demo, truncate: "false" } },
      { headers: { "content-type": "application/x-ndjson" }, init: { body } },
    );
    if (response.status !== 200) throw new Error(response.statusText);
    const answers = (await response.text()).trimEnd().split("\n");
    expect(answers.map((line) => JSON.parse(line))).toMatchObject([
      { line: 1, profile: "demo-000" },
      { line: 2, error: { code: "text_too_long" } },
      { done: true, answered: 1, failed: 1 },
    ]);
  });

  it("waits for a learning, receives its progress, and throws its problem", async () => {
    const { learn } = client.v1.profiles[":task"][":profile"];
    const examples = examplesOf(6);
    const param = { task: "demo", profile: "new" };
    const progress: number[] = [];
    const json = { examples, epochs: 1, start: "default", dryRun: true } as const;
    const learnt = await learning(learn.$post({ param, json }), ({ done }) => progress.push(done));
    expect(learnt).toMatchObject({ profile: "new", generation: null, leftOut: { texts: 6 } });
    expect(progress.every((done) => done >= 0 && done <= 1) && progress.length > 0).toBe(true);
    const one = learn.$post({ param, json: { examples: examples.slice(0, 1) } });
    await expect(learning(one)).rejects.toMatchObject({ code: "too_few_examples", status: 422 });
  });

  it("reads streams line by line, and rejects reading them as one response", async () => {
    const request = () =>
      client.v1.predict.stream.$post(
        { query: demo },
        {
          headers: { "content-type": "application/x-ndjson" },
          init: { body: `${JSON.stringify({ text: TEXT })}\n\n{}` },
        },
      );
    const read = await Array.fromAsync(lines<{ label?: string; error?: { code: string } }>(request()));
    expect(read).toMatchObject([
      { line: 1, label: expect.any(String) },
      { line: 3, error: { code: "invalid_request" } },
      { done: true, answered: 1, failed: 1 },
    ]);
    await expect(unwrap(request())).rejects.toThrow("lines()");
    const nothing = client.v1.tasks[":task"].export.$get({ param: { task: "nothing" } });
    await expect(Array.fromAsync(lines(nothing))).rejects.toMatchObject({ code: "unknown_task" });
    const exported = await Array.fromAsync(
      lines<{ profile: string }>(client.v1.tasks[":task"].export.$get({ param: demo })),
    );
    expect(exported.map(({ profile }) => profile)).toContain("demo-000");
  });

  it.each(["../../tasks/demo?profiles=delete", "demo-000/../demo-001", "a/b c", "a?b", "a#b", "%2e%2e", "ü"])(
    "encodes a profile's id, so that it changes no other part of the path: %s",
    async (profile) => {
      const route = client.v1.profiles[":task"][":profile"];
      for (const request of [route.$get, route.$delete]) {
        await expect(unwrap(request({ param: { task: "demo", profile } }))).rejects.toMatchObject({
          code: "invalid_request",
          message: expect.stringContaining("profile"),
        });
      }
      expect((await unwrap(client.v1.tasks.$get())).tasks.map(({ task }) => task)).toContain("demo");
    },
  );

  it.each(["", ".", ".."])("rejects %j, which no path can contain", async (profile) => {
    const route = client.v1.profiles[":task"][":profile"];
    expect(() => route.$get({ param: { task: "demo", profile } })).toThrow(TypeError);
  });

  it("accepts ids with every allowed character", async () => {
    const param = { task: "demo", profile: "A.b_c:d@e-f" };
    const masks = toBase64(masksOf(3));
    expect(await unwrap(client.v1.profiles[":task"][":profile"].$put({ param, json: { masks } }))).toMatchObject(param);
  });

  it("lists tasks", async () => {
    const { tasks, next } = await unwrap(client.v1.tasks.$get());
    expect(tasks.map(({ task, labels }) => [task, labels])).toEqual([["demo", ["low", "middle", "high"]]]);
    expect(next).toBeNull();
    const page = await unwrap(client.v1.tasks.$get({ query: { limit: 1, after: "demo" } }));
    expect(page.tasks).toEqual([]);
  });

  it("writes a profile if its generation is unchanged", async () => {
    const profile = client.v1.profiles[":task"][":profile"];
    const param = { task: "demo", profile: "tenant:7@example.org" };
    const json = { masks: toBase64(masksOf(7)) };
    const made = await unwrap(profile.$put({ param, json, header: { "if-none-match": "*" } }));
    expect(made).toEqual({ ...param, generation: 1, created: true });
    expect(await unwrap(profile.$get({ param }))).toMatchObject({ ...json, generation: 1 });
    const replaced = await profile.$put({ param, json, header: { "if-match": '"1"' } });
    expect(replaced.headers.get("etag")).toBe('"2"');
    const late = await profile.$put({ param, json, header: { "if-match": '"1"' } });
    if (late.status !== 412) throw new Error(`it is ${late.status}`);
    expect(await late.json()).toMatchObject({ code: "generation_mismatch", generation: 2 });
    expect(await unwrap(profile.$put({ param, json }))).toMatchObject({ generation: 3 });
  });

  it("returns a problem by its status", async () => {
    const response = await client.v1.predict.$post({ json: { ...demo, profile: "nobody", inputs: TEXT } });
    if (response.status !== 404) throw new Error(`it is ${response.status}`);
    const { code, hint } = await response.json();
    expect(code satisfies ProblemError["code"]).toBe("unknown_profile");
    expect(hint).toMatch(/\S/);
  });

  it("throws a problem if only the body is requested", async () => {
    const nobody = createClient(reference.worker.url);
    const error: unknown = await unwrap(nobody.v1.info.$get()).catch((error) => error);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({
      message: 'This needs a key with the scope "predict".',
      code: "key_missing",
      hint: expect.stringContaining("Authorization: Bearer"),
      status: 401,
      problem: { title: "The request has no key" },
    });
  });

  it("throws another error for a response of another server", async () => {
    const before = createClient("http://localhost", {
      fetch: async () =>
        new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "content-type": "text/html" } }),
    });
    await expect(unwrap(before.v1.info.$get())).rejects.toThrow("answered 502");
  });

  it("sends the given headers", async () => {
    const plain = createClient(reference.worker.url, {
      headers: { authorization: `Bearer ${reference.worker.adminKey}` },
    });
    expect((await unwrap(plain.v1.info.$get())).limits.inputs).toBe(64);
  });

  it("knows every status of a problem", () => {
    const known: Record<ProblemStatus, true> = {
      400: true,
      401: true,
      403: true,
      404: true,
      405: true,
      408: true,
      409: true,
      412: true,
      413: true,
      415: true,
      422: true,
      429: true,
      500: true,
      501: true,
      503: true,
    };
    expect(Object.keys(known).map(Number)).toEqual([...new Set(PROBLEM_CODES.map(statusOf))].sort());
  });
});
