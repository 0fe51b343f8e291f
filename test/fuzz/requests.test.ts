import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type InspectedWorker,
  type IsolateMemory,
  usedBytes,
  withInspectedWorker,
} from "../../bench/memory/inspected-worker.ts";
import { isLongForm } from "../support/long-form.ts";
import { profilesOf } from "../support/rows.ts";
import { requests, type Sent, TEXT, task } from "./sent.ts";

/** Requests in all. */
const CASES = isLongForm ? 10_000 : 400;

/** An answer begins before this, a learning's too; on a machine that runs other tests beside, it may take longer. */
const HANG_MS = isLongForm ? 2_000 : 10_000;

/** What may be in use at the end beside what is in use after a tenth of the requests: caches that fill. */
const GROWTH_BYTES = 8 * 2 ** 20;

/** WebAssembly's memory grows with the longest text so far, and is no smaller after it. */
const MOST_WASM_BYTES = 64e6;

/** Refusals that say "later", which a fuzzer hears who starts learnings and does not wait. */
const LATER = new Set(["overloaded", "learning_busy"]);

/** Sends a request. @returns its status, having read the answer to its end */
async function send(worker: InspectedWorker, { method, path, type, body, headers }: Sent): Promise<number> {
  const start = performance.now();
  const response = await fetch(new URL(path, worker.url), {
    method,
    headers: { ...(type && { "content-type": type }), authorization: `Bearer ${worker.adminKey}`, ...headers },
    ...(body !== null && { body }),
    redirect: "manual",
  });
  expect(performance.now() - start, "an answer begins in time").toBeLessThan(HANG_MS);
  const text = await response.text();
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  if (response.status >= 400 && method !== "HEAD") {
    const problem = JSON.parse(text) as { code: string; hint: string; status: number };
    expect(problem).toMatchObject({
      status: response.status,
      code: expect.stringMatching(/^[a-z_]+$/),
      hint: expect.any(String),
    });
    if (response.status >= 500) expect(LATER, `${response.status} ${problem.code}`).toContain(problem.code);
  }
  expect(text).not.toContain('"code":"internal_error"');
  return response.status;
}

it("answers whatever it is sent by a name, in time, and keeps no memory for it", { timeout: 3_600_000 }, async () => {
  const statuses = new Map<number, number>();
  const memory: IsolateMemory[] = [];
  const tenth = Math.ceil(CASES / 10);
  let sent = 0;
  // A heap that would not be collected comes to an end here, and the Worker with it.
  await withInspectedWorker([{ task, profiles: profilesOf(20) }], async (worker) => {
    await worker.load();
    const property = fc.asyncProperty(requests, async (request) => {
      const status = await send(worker, request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (++sent % tenth === 0) memory.push(await worker.inUse());
    });
    await fc.assert(property, { numRuns: CASES, endOnFailure: true });
    const predicted = { task: "demo", profile: "demo-000", inputs: TEXT };
    const headers = { "content-type": "application/json" };
    const answer = await fetch(new URL("/v1/predict", worker.url), {
      method: "POST",
      headers,
      body: JSON.stringify(predicted),
    });
    expect(answer.status).toBe(200);
    expect(await (await fetch(new URL("/healthz", worker.url))).json()).toMatchObject({
      ready: true,
      waitingTokens: 0,
    });
  });
  const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${count} x ${status}`);
  const megabytes = memory.map((one) => (usedBytes(one) / 1e6).toFixed(1));
  console.info(`${sent} requests: ${counts.join(", ")}; in use after each tenth, MB: ${megabytes.join(", ")}`);
  const last = memory.at(-1);
  const withoutWasm = (one?: IsolateMemory) => (one ? usedBytes(one) - one.wasm : Number.NaN);
  expect(withoutWasm(last) - withoutWasm(memory[0])).toBeLessThan(GROWTH_BYTES);
  expect(last?.wasm).toBeLessThan(MOST_WASM_BYTES);
});
