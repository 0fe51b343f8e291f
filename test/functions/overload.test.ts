import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_TEXTS_BYTES } from "../../functions/middleware/json-body.ts";
import { MAX_BODY_BYTES_IN_FLIGHT } from "../../functions/platform/settings.ts";
import { pushLongTask } from "../support/overload.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

/** Other tests may take most of the processor meanwhile. */
const PATIENCE_MS = 300_000;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.close());

const waitingTokens = async () =>
  (await (await worker.get("/healthz")).json<{ waitingTokens: number }>()).waitingTokens;

/** Waits until the Worker reads texts. */
async function untilBusy(): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) if ((await waitingTokens()) > 0) return;
  throw new Error("The Worker reads no texts.");
}

async function untilIdle(): Promise<void> {
  while ((await waitingTokens()) > 0) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** The number of maximum-size bodies within capacity, overhead included. */
const MOST_LARGE = Math.floor(MAX_BODY_BYTES_IN_FLIGHT / MAX_TEXTS_BYTES) - 1;

/** Sends as many large bodies as fit, and returns their statuses: any rejection means that capacity has leaked. */
async function largeBodiesAtOnce(bodyOf: (texts: number, words?: number) => object): Promise<Set<number>> {
  const large = JSON.stringify(bodyOf(1, 3)).padEnd(MAX_TEXTS_BYTES);
  const answers = await Promise.all(Array.from({ length: MOST_LARGE }, () => worker.predict(large)));
  return new Set(answers.map(({ status }) => status));
}

describe("a Worker at capacity", { timeout: PATIENCE_MS }, () => {
  it("rejects some requests of a flood, answers the others like a single request, and delays a stream", async () => {
    const bodyOf = await pushLongTask(worker);
    const alone = await (await worker.predict(bodyOf(1))).json<{ predictions: { logits: object }[] }>();
    const flood = Array.from({ length: 12 }, () => worker.predict(bodyOf(3)));
    const rejections = flood.map(async (answer) => {
      const response = await answer;
      return response.status === 503 ? response : await Promise.reject(response.status);
    });
    const rejected = await Promise.any(rejections);
    const stream = fetch(new URL("/v1/predict/stream?task=demo&profile=demo-000", worker.url), {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: `${JSON.stringify({ text: "river ".repeat(512) })}\n`.repeat(3),
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
    for (const answer of answers.filter(({ status }) => status === 200)) {
      const { predictions } = await answer.json<typeof alone>();
      expect(predictions.map(({ logits }) => logits)).toEqual(Array(3).fill(alone.predictions[0]?.logits));
    }
    expect(await (await stream).text()).toContain('"done":true,"answered":3,"failed":0');
    expect(await waitingTokens()).toBe(0);
  });

  it("delays a request of one text by at most one text of each other request", async () => {
    const bodyOf = await pushLongTask(worker);
    const order: string[] = [];
    const many = worker.predict(bodyOf(10)).then(() => order.push("many texts"));
    await untilBusy();
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
      body: `${JSON.stringify({ text: "river ".repeat(512) })}\n`.repeat(8),
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
        body: JSON.stringify(bodyOf(3)).padEnd(MAX_TEXTS_BYTES),
        signal: gone,
      }).catch(() => null),
    );
    await Promise.all(hungUp);
    await untilIdle();
    // A busy machine notices a disconnect late. Lost bytes would be missing for ten minutes.
    const patience = { timeout: 60_000, interval: 1000 };
    await expect.poll(() => largeBodiesAtOnce(bodyOf), patience).toEqual(new Set([200]));
  });

  it("limits the bytes of bodies in memory, and releases them", async () => {
    const bodyOf = await pushLongTask(worker);
    const large = JSON.stringify(bodyOf(1, 3)).padEnd(MAX_TEXTS_BYTES);
    // The Worker is busy with this request when the bodies arrive, and reads them all when it yields.
    const many = worker.predict(bodyOf(4));
    await untilBusy();
    const answers = await Promise.all(Array.from({ length: 3 * MOST_LARGE }, () => worker.predict(large)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
    expect((await many).status).toBe(200);
    expect(await largeBodiesAtOnce(bodyOf)).toEqual(new Set([200]));
  });
});
