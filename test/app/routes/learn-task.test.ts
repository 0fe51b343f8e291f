import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEngine } from "../../../node/engine.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { taskFileFields } from "../../../src/profiles/file-format.ts";
import { ENGINE_CHOICE } from "../../support/engine-choice.ts";
import { eventsOf, readEvents } from "../../support/events.ts";
import { profilesOf, taskFor } from "../../support/rows.ts";
import { TICKETS } from "../../support/task-examples.ts";
import { type RequestOptions, type RunningWorker, startWorker } from "../../support/worker.ts";

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "0" } });
});
afterAll(() => worker.close());

const learn = (task: string, body: object = {}, options: RequestOptions = {}, query = "") =>
  worker.request("POST", `/v1/tasks/${task}/learn${query}`, { body: { examples: TICKETS, ...body }, ...options });

const learnt = async (...request: Parameters<typeof learn>) => (await readEvents(await learn(...request))).at(-1);

const ifMatch = (generation: number) => ({ headers: { "if-match": String(generation) } });

/** Returns the code of a response's error, which comes as JSON or as the last event. */
async function codeOf(response: Response): Promise<unknown> {
  if (response.headers.get("content-type") !== "text/event-stream")
    return ((await response.json()) as { code: string }).code;
  return (await readEvents(response)).at(-1)?.data.code;
}

const predict = async (body: object) =>
  (await (await worker.predict({ task: "desk", profile: "nobody", onUnknownProfile: "default", ...body })).json()) as {
    predictions: { label: string; score: number; masks: string; generation: number; abstained?: boolean }[];
  };

describe("POST /v1/tasks/{task}/learn", () => {
  it("streams progress, writes a new task, and serves it without profiles", async () => {
    const events = await readEvents(await learn("desk"));
    const last = events.pop();
    expect(events.length).toBeGreaterThan(1);
    for (const { event, data } of events) {
      expect(event).toBe("progress");
      expect(data).toMatchObject({ phase: expect.stringMatching(/^(reading|fitting)$/), done: expect.any(Number) });
    }
    expect(last).toMatchObject({
      event: "learnt",
      data: {
        task: "desk",
        generation: 1,
        created: true,
        texts: 24,
        file: { labels: ["billing", "shipping", "account"] },
      },
    });
    const { majority, accuracy } = Object(last?.data.heldOut);
    expect(majority).toBeCloseTo(1 / 3);
    expect(accuracy).toBeGreaterThan(0.6);
    expect(last?.data).toMatchObject({ abstain: { below: expect.any(Number), accuracy: expect.any(Number) } });
    const stored = await worker.get("/v1/tasks/desk");
    expect(await stored.json()).toEqual(last?.data.file);

    const { predictions } = await predict({
      inputs: ["The invoice has a wrong sum", "The parcel came broken", "I forgot my password"],
    });
    expect(predictions.map(({ label }) => label)).toEqual(["billing", "shipping", "account"]);
    expect(predictions[0]).toMatchObject({ masks: "default", generation: 1 });
  });

  it("marks predictions below a score as abstained, and changes nothing else", async () => {
    const inputs = ["The invoice has a wrong sum", "xylophone"];
    const plain = (await predict({ inputs })).predictions;
    const least = Math.min(...plain.map(({ score }) => score));
    const most = Math.max(...plain.map(({ score }) => score));
    expect((await predict({ inputs, abstainBelow: least })).predictions).toEqual(plain);
    const marked = plain.map((one) => (one.score < most ? { ...one, abstained: true } : one));
    expect((await predict({ inputs, abstainBelow: most })).predictions).toEqual(marked);
    const lines = await worker.request(
      "POST",
      "/v1/predict/stream?task=desk&profile=nobody&onUnknownProfile=default&abstainBelow=1",
      { body: '{"text":"xylophone"}\n', headers: { "content-type": "application/x-ndjson" } },
    );
    expect(JSON.parse((await lines.text()).split("\n")[0] ?? "")).toMatchObject({ abstained: true });
    expect(await codeOf(await worker.predict({ task: "desk", profile: "nobody", inputs, abstainBelow: 2 }))).toBe(
      "invalid_request",
    );
  });

  it("gives the head that Node gives, bit for bit", async () => {
    const engine = await loadEngine(DEFAULT_BUNDLE, ENGINE_CHOICE);
    const examples = TICKETS.map(({ text, label }) => ({ input: { text }, label }));
    const hooks = { signal: new AbortController().signal, budgetSeconds: 60, onProgress: async () => {} };
    const { task } = await engine.learnTask({ name: "bits", examples, seed: 3 }, hooks);
    expect((await learnt("bits", { seed: 3 }, {}, "?dryRun=true"))?.data.file).toEqual(taskFileFields(task));
  });

  it("writes nothing on a dry run", async () => {
    expect(await learnt("dry", {}, {}, "?dryRun=true")).toMatchObject({
      event: "learnt",
      data: { generation: null, created: false },
    });
    expect((await worker.get("/v1/tasks/dry")).status).toBe(404);
  });

  it("writes only at the expected generation, and not over a write that came meanwhile", async () => {
    await learnt("cas");
    expect(await codeOf(await learn("cas", {}, { headers: { "if-none-match": "*" } }))).toBe("generation_mismatch");
    expect(await codeOf(await learn("cas", {}, ifMatch(7)))).toBe("generation_mismatch");
    expect(await codeOf(await learn("none", {}, { headers: { "if-match": "*" } }))).toBe("generation_mismatch");
    expect(await learnt("cas", {}, ifMatch(1))).toMatchObject({ data: { generation: 2, created: false } });

    const response = await learn("cas");
    const file = (await (await worker.get("/v1/tasks/cas")).json()) as object;
    expect((await worker.request("PUT", "/v1/tasks/cas", { body: { ...file, maxTokens: 40 } })).status).toBe(200);
    expect(await codeOf(response)).toBe("generation_mismatch");
    expect(await (await worker.get("/v1/tasks/cas")).json()).toMatchObject({ maxTokens: 40 });
  });

  it("does not replace a task whose profiles have another head, unless they are deleted", async () => {
    await worker.push(taskFor(await readBundle(DEFAULT_BUNDLE)), profilesOf(2));
    for (const query of ["", "?dryRun=true"]) {
      const response = await learn("demo", {}, {}, query);
      const codes = response.ok ? (await readEvents(response)).map(({ data }) => data.code) : [await codeOf(response)];
      // Before the learning, so without progress.
      expect(codes).toEqual(["task_has_profiles"]);
    }
    expect(await learnt("demo", {}, {}, "?dryRun=true&profiles=delete")).toMatchObject({ event: "learnt" });
    expect((await worker.get("/v1/profiles/demo/demo-000")).status).toBe(200);
    expect(await learnt("demo", {}, {}, "?profiles=delete")).toMatchObject({
      event: "learnt",
      data: { created: false },
    });
    expect((await worker.get("/v1/profiles/demo/demo-000")).status).toBe(404);
    expect((await worker.get("/v1/profiles/demo/demo-000/history")).status).toBe(404);
  });

  it("learns a profile of the new task", async () => {
    await learnt("desk");
    const examples = TICKETS.slice(0, 12).map(({ text }, index) => ({
      text,
      label: index < 6 ? "account" : "billing",
    }));
    const response = await worker.request("POST", "/v1/profiles/desk/me/learn", { body: { examples, epochs: 1 } });
    expect((await readEvents(response)).at(-1)).toMatchObject({ event: "learnt", data: { generation: 1 } });
    await worker.request("DELETE", "/v1/profiles/desk/me");
  });

  it("cancels when the caller disconnects, and shares one slot with profiles", async () => {
    const first = await learn("gone");
    expect(await codeOf(await learn("other"))).toBe("learning_busy");
    const busy = await worker.request("POST", "/v1/profiles/desk/me/learn", {
      body: { examples: TICKETS.slice(6, 10) },
    });
    expect(await codeOf(busy)).toBe("learning_busy");
    const events = eventsOf(first);
    await events.next();
    await events.return();
    let status = 503;
    while (status === 503) {
      const next = await learn("after", {}, {}, "?dryRun=true");
      status = next.status;
      await next.text();
    }
    expect((await worker.get("/v1/tasks/gone")).status).toBe(404);
  });

  const [first, second] = TICKETS;
  it.each([
    ["one_label", { examples: TICKETS.slice(0, 8) }],
    ["too_few_examples", { examples: TICKETS.slice(0, 1) }],
    ["too_few_examples", { examples: TICKETS.slice(0, 9) }],
    ["too_few_examples", { labels: ["billing", "shipping", "account", "other"] }],
    ["too_few_examples", { examples: [...TICKETS.slice(0, 8), { ...first, label: "x" }, { ...first, label: "x" }] }],
    ["too_many_examples", { examples: Array.from({ length: 201 }, (_, i) => ({ text: `${i}`, label: `${i % 2}` })) }],
    ["unknown_label", { labels: ["billing", "shipping"] }],
    ["empty_text", { examples: [...TICKETS, { text: " ", label: "billing" }] }],
    ["mismatched_write", { maxTokens: 513 }],
    ["invalid_request", { labels: ["billing", "billing "] }],
    ["invalid_request", { labels: ["billing"] }],
    ["invalid_request", { examples: [...TICKETS, { text: "x", label: "" }] }],
    ["invalid_request", { examples: [...TICKETS, { text: "x", label: "a\tb" }] }],
    ["invalid_request", { targetAccuracy: 1.5 }],
  ])("answers %s", async (code, body) => {
    expect(await codeOf(await learn("faulty", body))).toBe(code);
    expect((await worker.get("/v1/tasks/faulty")).status).toBe(404);
  });

  it("rejects names that no task can have, and bodies over the limit", async () => {
    expect(await codeOf(await learn("Upper"))).toBe("invalid_request");
    const long = { examples: [{ ...second, text: "x".repeat(300_000) }] };
    expect(await codeOf(await learn("faulty", long))).toBe("payload_too_large");
  });

  it("accepts one text with two labels, and labels in a given order", async () => {
    const labels = ["account", "billing", "shipping"];
    const both = [...TICKETS, { text: TICKETS[0]?.text, label: "shipping" }];
    const result = await learnt("both", { examples: both, labels }, {}, "?dryRun=true");
    expect(result?.data).toMatchObject({ texts: 24, file: { labels } });
  });
});
