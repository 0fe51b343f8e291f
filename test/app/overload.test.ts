import { Agent } from "node:http";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_TEXTS_BYTES } from "../../app/middleware/json-body.ts";
import { CALLER_SHARE, MAX_BODY_BYTES_IN_FLIGHT } from "../../app/platform/settings.ts";
import { openChunked, sendChunked } from "../support/chunked-body.ts";
import { isLongForm } from "../support/long-form.ts";
import { pushLongTask } from "../support/overload.ts";
import { type RequestOptions, type RunningWorker, startWorker } from "../support/worker.ts";

/** Other tests may take most of the processor meanwhile. */
const PATIENCE_MS = 600_000;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.close());

const waitingTokens = async () =>
  (await (await worker.get("/healthz")).json<{ waitingTokens: number }>()).waitingTokens;

/** Sends a request, again until the Worker is seen while it reads its texts. @returns its response, still pending */
async function seenBusy(send: () => Promise<Response>): Promise<{ response: Promise<Response> }> {
  for (;;) {
    const response = send();
    const ended = response.then(() => true);
    do if ((await waitingTokens()) > 0) return { response };
    while (!(await Promise.race([ended, setTimeout(0, false)])));
  }
}

async function untilIdle(): Promise<void> {
  while ((await waitingTokens()) > 0) await setTimeout(50);
}

/** Texts of the maximum length that take all tokens in flight: on a slow machine a flood may trickle in. */
const FULL_TEXTS = 16;

/** What counts for a maximum-size body: it and its request. */
const LARGE_KIBIBYTES = MAX_TEXTS_BYTES / 1024 + 4;

/** The number of maximum-size bodies within a caller's share. */
const MOST_LARGE = Math.floor((CALLER_SHARE * MAX_BODY_BYTES_IN_FLIGHT) / 1024 / LARGE_KIBIBYTES);

/** Sends as many large bodies as fit, and returns their statuses: any rejection means that capacity has leaked. */
async function largeBodiesAtOnce(bodyOf: (texts: number, words?: number) => object): Promise<Set<number>> {
  const large = JSON.stringify(bodyOf(1, 3)).padEnd(MAX_TEXTS_BYTES);
  const answers = await Promise.all(Array.from({ length: MOST_LARGE }, () => worker.predict(large)));
  return new Set(answers.map(({ status }) => status));
}

describe("a Worker at capacity", { timeout: PATIENCE_MS }, () => {
  it("rejects some requests of a flood, answers the others like a single request, and delays a stream", async () => {
    const bodyOf = await pushLongTask(worker);
    await worker.predict(bodyOf(1));
    const bodies = [bodyOf(FULL_TEXTS), ...Array.from({ length: 11 }, () => bodyOf(3))];
    const first = await seenBusy(() => worker.predict(bodies[0] ?? {}));
    const flood = [first.response, ...bodies.slice(1).map((body) => worker.predict(body))];
    const rejections = flood.map(async (answer) => {
      const response = await answer;
      return response.status === 503 ? response : await Promise.reject(response.status);
    });
    const rejected = await Promise.any(rejections);
    const stream = fetch(new URL("/v1/predict/stream?task=demo&profile=demo-000", worker.url), {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: `${JSON.stringify({ text: "river" })}\n`.repeat(3),
    });
    expect((await worker.get("/healthz")).status).toBe(200);
    const retryAfter = rejected.headers.get("retry-after");
    expect(retryAfter).toMatch(/^[1-9][0-9]*$/);
    expect(await rejected.json()).toMatchObject({
      code: "overloaded",
      error_type: "Overloaded",
      retryAfterSeconds: Number(retryAfter),
    });
    const answers = await Promise.all(flood);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
    for (const [place, answer] of answers.entries()) {
      if (answer.status !== 200) continue;
      // Texts of a flood push each other out of the cache, which has room for five: most are read anew.
      const alone = await worker.predict(bodies[place] ?? {});
      const [inFlood, single] = await Promise.all([answer, alone].map((one) => one.json<{ predictions: object }>()));
      expect(inFlood?.predictions).toEqual(single?.predictions);
    }
    expect(await (await stream).text()).toContain('"done":true,"answered":3,"failed":0');
    expect(await waitingTokens()).toBe(0);
  });

  it("delays a request of one text by at most one text of each other request", async () => {
    const bodyOf = await pushLongTask(worker);
    const order: string[] = [];
    const { response } = await seenBusy(() => worker.predict(bodyOf(16)));
    const many = response.then(() => order.push("many texts"));
    await worker.predict(bodyOf(1, 3)).then(() => order.push("one text"));
    // It waits for one text at each of its steps, and for no more.
    expect(await waitingTokens()).toBeGreaterThan(0);
    await many;
    expect(order).toEqual(["one text", "many texts"]);
  });

  it("answers a request of one text before a stream ends", async () => {
    const bodyOf = await pushLongTask(worker);
    const order: string[] = [];
    const stream = await fetch(new URL("/v1/predict/stream?task=demo&profile=demo-000", worker.url), {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: [1, 2, 3, 4, 5]
        .map((number) => `${JSON.stringify({ text: `${number} ${"river ".repeat(512)}` })}\n`)
        .join(""),
    });
    const answered = stream.text().then(() => order.push("stream"));
    await worker.predict(bodyOf(1, 3)).then(() => order.push("one text"));
    await answered;
    expect(order).toEqual(["one text", "stream"]);
  });

  it("releases the capacity of callers that disconnect while they wait", async () => {
    const bodyOf = await pushLongTask(worker);
    const gone = AbortSignal.timeout(300);
    // If their bytes were not released, the large bodies after them would not fit.
    const hungUp = Array.from({ length: 20 }, () =>
      fetch(new URL("/v1/predict", worker.url), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(bodyOf(1)).padEnd(MAX_TEXTS_BYTES),
        signal: gone,
      }).catch(() => null),
    );
    await Promise.all(hungUp);
    await untilIdle();
    // A busy machine notices a disconnect late. Lost bytes would be missing for ten minutes.
    await expect.poll(() => largeBodiesAtOnce(bodyOf), { interval: 1000 }).toEqual(new Set([200]));
  });

  it("limits the bytes of bodies in memory, and releases them", async () => {
    await pushLongTask(worker);
    const key = await worker.makeKey();
    const headers = { "content-length": String(MAX_TEXTS_BYTES) };
    const opened = openMany(MOST_LARGE, LARGE.slice(0, -1), { key, headers });
    try {
      await untilInFlight(MOST_LARGE * LARGE_KIBIBYTES, { key });
      expect((await worker.predict(LARGE, { key })).status).toBe(503);
      for (const { request } of opened.requests) request.end(LARGE.slice(-1));
      const answers = await Promise.all(opened.requests.map(({ answer }) => answer));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    } finally {
      opened.end();
    }
    expect(await largeBodiesAtOnce(() => SMALL_BODY)).toEqual(new Set([200]));
  });
});

const SMALL_BODY = { task: "demo", profile: "demo-000", inputs: "Rice" };
const SMALL = JSON.stringify(SMALL_BODY);
const LINE = `${JSON.stringify({ text: "Rice" })}\n`;
const NDJSON = { headers: { "content-type": "application/x-ndjson" } };

/** Small requests from 100 connections. */
const SMALL_REQUESTS = isLongForm ? 10_000 : 100;

const LARGE = SMALL.padEnd(MAX_TEXTS_BYTES);

/** A body that is rejected before it is read. It finds out whether a large body fits, and takes the place of none. */
const TOO_LARGE = SMALL.padEnd(MAX_TEXTS_BYTES + 1);

/** Waits until exactly so many KiB of a caller's bodies are in flight, and a large body does not fit beside them. */
async function untilInFlight(kibibytes: number, options: RequestOptions): Promise<void> {
  const rejection = async () => (await (await worker.predict(TOO_LARGE, options)).json<{ detail: string }>()).detail;
  await expect.poll(rejection).toContain(`request bodies in flight take ${kibibytes} KiB`);
}

/** The part of a body that has arrived, and what counts for it: it and its request. */
const BEGUN = " ".repeat(240 * 1024);
const BEGUN_KIBIBYTES = 240 + 4;

/** Opens requests whose bodies never end, until the test ends them. */
function openMany(count: number, begin: string, options: Parameters<typeof openChunked>[2] = {}) {
  const requests = Array.from({ length: count }, () => openChunked(worker, begin, options));
  return { requests, end: () => requests.forEach(({ request }) => void request.destroy()) };
}

describe("chunked bodies", { timeout: isLongForm ? 3_600_000 : PATIENCE_MS }, () => {
  beforeAll(async () => void (await pushLongTask(worker)));

  it.each([
    ["/v1/predict", SMALL, {}],
    ["/v1/hf/demo/demo-000", '{"inputs": "Rice, and more of it"}', {}],
    ["/v1/tei/demo/demo-000/predict", '{"inputs": "Rice, and more of it"}', {}],
    ["/v1/predict/stream?task=demo&profile=demo-000", LINE, NDJSON],
    ["/v1/tasks/demo/import?dryRun=true", `${" ".repeat(20)}\n`, NDJSON],
  ])("that are small are all answered, 32 at once: %s", async (path, body, options) => {
    const answers = await Promise.all(
      Array.from({ length: 32 }, () => sendChunked(worker, body, { path, ...options })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers.filter((answer) => answer.body.includes("overloaded"))).toEqual([]);
  });

  it(`that are small are all answered, ${SMALL_REQUESTS} of them from 100 connections`, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 100 });
    const counts = new Map<number, number>();
    for (let sent = 0; sent < SMALL_REQUESTS; sent += 100) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => sendChunked(worker, SMALL, { agent })));
      for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    agent.destroy();
    expect([...counts]).toEqual([[200, SMALL_REQUESTS]]);
  });

  it("take only the memory of what has arrived", async () => {
    const trickling = openMany(40, SMALL.slice(0, 20));
    const streams = openMany(10, LINE.slice(0, 5), {
      path: "/v1/predict/stream?task=demo&profile=demo-000",
      ...NDJSON,
    });
    try {
      // The budget would be full if each took the most that it may have.
      expect(await largeBodiesAtOnce(() => SMALL_BODY)).toEqual(new Set([200]));
    } finally {
      trickling.end();
      streams.end();
    }
  });

  it("take the memory of all that has arrived, and are rejected when the rest does not fit", async () => {
    const key = await worker.makeKey();
    const opened = openMany(6, BEGUN, { key });
    const onlyTheseInFlight = () => untilInFlight(6 * BEGUN_KIBIBYTES, { key });
    const status = async () => (await worker.predict(LARGE, { key })).status;
    try {
      await onlyTheseInFlight();
      expect(await status()).toBe(503);
      expect(await sendChunked(worker, LARGE, { key })).toMatchObject({
        status: 503,
        body: expect.stringContaining("overloaded"),
      });
      await onlyTheseInFlight();
      const path = "/v1/predict/stream?task=demo&profile=demo-000";
      const { body } = await sendChunked(worker, LINE + " ".repeat(128 * 1024), { path, key, ...NDJSON });
      expect(JSON.parse(body.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ error: { code: "overloaded" } });
      await onlyTheseInFlight();
      expect((await sendChunked(worker, SMALL, { key })).status).toBe(200);
    } finally {
      opened.end();
    }
    await expect.poll(status, { interval: 1000 }).toBe(200);
  });
});

describe("a caller's share of the memory for bodies", { timeout: PATIENCE_MS }, () => {
  beforeAll(async () => void (await pushLongTask(worker)));

  it("leaves memory for every other caller: by key, and by address without a key", async () => {
    const [greedy, other] = [await worker.makeKey(), await worker.makeKey()];
    const from = (address: string) => ({ key: null, headers: { "cf-connecting-ip": address } });
    const opened = [openMany(6, BEGUN, { key: greedy })];
    try {
      await untilInFlight(6 * BEGUN_KIBIBYTES, { key: greedy });
      const rejected = await worker.predict(LARGE, { key: greedy });
      expect(rejected.headers.get("retry-after")).toBe("1");
      expect(await rejected.json()).toMatchObject({
        code: "overloaded",
        detail:
          "At capacity: the caller's request bodies in flight take 1464 KiB, this one needs 260 KiB more, and the caller's share is 1536 KiB.",
        hint: expect.stringContaining("Send fewer requests at once"),
      });
      expect((await worker.predict(LARGE, { key: other })).status).toBe(200);
      // A second greedy caller leaves a share for the third too.
      opened.push(openMany(1, BEGUN, from("203.0.113.1")));
      await untilInFlight(BEGUN_KIBIBYTES, from("203.0.113.1"));
      const small = worker.predict(SMALL, from("203.0.113.2"));
      expect((await small).status).toBe(200);
    } finally {
      for (const { end } of opened) end();
    }
  });
});
