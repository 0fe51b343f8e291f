import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_TEXTS_BYTES } from "../../functions/middleware/json-body.ts";
import { MAX_BODY_BYTES_IN_FLIGHT } from "../../functions/platform/settings.ts";
import { overload, pushLongTask } from "../support/overload.ts";
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

/** Bodies as large as they may be that there is room for, with what a request takes beside. */
const MOST_LARGE = Math.floor(MAX_BODY_BYTES_IN_FLIGHT / MAX_TEXTS_BYTES) - 1;

/** How as many large bodies as there is room for are answered: none is refused unless something else is held. */
async function largeBodiesAtOnce(bodyOf: (texts: number, words?: number) => object): Promise<Set<number>> {
  const large = JSON.stringify(bodyOf(1, 3)).padEnd(MAX_TEXTS_BYTES);
  const answers = await Promise.all(Array.from({ length: MOST_LARGE }, () => worker.predict(large)));
  return new Set(answers.map(({ status }) => status));
}

describe("a Worker with too much to do", { timeout: PATIENCE_MS }, () => {
  it("refuses what comes beyond with the seconds to wait, answers what it let in, and a stream in time", async () => {
    const { largest, rejected } = await overload(worker);
    expect([rejected.status, Number(rejected.headers.get("retry-after"))]).toEqual([503, expect.any(Number)]);
    expect(await rejected.json()).toMatchObject({
      code: "overloaded",
      error_type: "Overloaded",
      retryAfterSeconds: Number(rejected.headers.get("retry-after")),
    });
    const stream = fetch(new URL("/v1/predict/stream?task=demo&profile=demo-000", worker.url), {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: `${JSON.stringify({ text: "river ".repeat(512) })}\n`.repeat(3),
    });
    expect((await worker.get("/healthz")).status).toBe(200);
    expect(await (await stream).text()).toContain('"done":true,"answered":3,"failed":0');
    expect((await largest)?.status).toBe(200);
    expect(await waitingTokens()).toBe(0);
  });

  it("in a flood refuses some, and answers the rest as it answers one alone", async () => {
    const bodyOf = await pushLongTask(worker);
    const alone = await (await worker.predict(bodyOf(1))).json<{ predictions: { logits: object }[] }>();
    const answers = await Promise.all(Array.from({ length: 12 }, () => worker.predict(bodyOf(3))));
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    for (const answer of answers.filter(({ status }) => status === 200)) {
      const { predictions } = await answer.json<typeof alone>();
      expect(predictions.map(({ logits }) => logits)).toEqual(Array(3).fill(alone.predictions[0]?.logits));
    }
  });

  it("lets a request of one text wait for no more than a text of each other", async () => {
    const bodyOf = await pushLongTask(worker);
    const order: string[] = [];
    const many = worker.predict(bodyOf(15)).then(() => order.push("15 texts"));
    await untilBusy();
    await worker.predict(bodyOf(1, 3)).then(() => order.push("one text"));
    // It has waited for a text at each of its own steps, and for no more.
    expect(await waitingTokens()).toBeGreaterThan(0);
    await many;
    expect(order).toEqual(["one text", "15 texts"]);
  });

  it("lets a request of one text not wait for a stream's end", async () => {
    const bodyOf = await pushLongTask(worker);
    const order: string[] = [];
    const stream = await fetch(new URL("/v1/predict/stream?task=demo&profile=demo-000", worker.url), {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: `${JSON.stringify({ text: "river ".repeat(512) })}\n`.repeat(15),
    });
    const answered = stream.text().then(() => order.push("stream"));
    await worker.predict(bodyOf(1, 3)).then(() => order.push("one text"));
    await answered;
    expect(order).toEqual(["one text", "stream"]);
  });

  it("loses no room to callers who hang up while they wait", async () => {
    const bodyOf = await pushLongTask(worker);
    const gone = AbortSignal.timeout(300);
    // Were their bytes lost, the large bodies after them would no longer fit.
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

  it("holds no more bytes of bodies than it has room for, and gives them back", async () => {
    const bodyOf = await pushLongTask(worker);
    const large = JSON.stringify(bodyOf(1, 3)).padEnd(MAX_TEXTS_BYTES);
    // The Worker is busy with this one when the bodies come, and takes them all up when it pauses.
    const many = worker.predict(bodyOf(4));
    await untilBusy();
    const answers = await Promise.all(Array.from({ length: 3 * MOST_LARGE }, () => worker.predict(large)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
    expect((await many).status).toBe(200);
    expect(await largeBodiesAtOnce(bodyOf)).toEqual(new Set([200]));
  });
});
