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
import { type HostileRequest, requests, TEXT, task } from "./hostile-requests.ts";

/** The total number of requests. */
const CASES = isLongForm ? 10_000 : 200;

/** The time limit for the start of a response. The short form runs beside other tests, so it allows more. */
const HANG_MS = isLongForm ? 2_000 : 60_000;

/** The allowed growth of memory between the first tenth and the end: caches fill. */
const GROWTH_BYTES = 8 * 2 ** 20;

/** WebAssembly's memory grows with the longest text, and never shrinks. */
const MAX_WASM_BYTES = 64e6;

/** Codes that ask for a retry: the fuzzer starts learnings and does not wait for them. */
const RETRY_CODES = new Set(["overloaded", "learning_busy"]);

/** Sends a request, reads and checks the response. @returns its status */
async function send(worker: InspectedWorker, { method, path, type, body, headers }: HostileRequest): Promise<number> {
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
    if (response.status >= 500) expect(RETRY_CODES, `${response.status} ${problem.code}`).toContain(problem.code);
  }
  expect(text).not.toContain('"code":"internal_error"');
  return response.status;
}

it("answers hostile requests with a documented problem, in time, and without leaking memory", {
  timeout: 3_600_000,
}, async () => {
  const statuses = new Map<number, number>();
  const memory: IsolateMemory[] = [];
  const tenth = Math.ceil(CASES / 10);
  let sent = 0;
  // A memory leak would exhaust the heap here and end the Worker.
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
  const megabytes = memory.map((use) => (usedBytes(use) / 1e6).toFixed(1));
  console.info(`${sent} requests: ${counts.join(", ")}; in use after each tenth, MB: ${megabytes.join(", ")}`);
  const last = memory.at(-1);
  const withoutWasm = (use?: IsolateMemory) => (use ? usedBytes(use) - use.wasm : Number.NaN);
  expect(withoutWasm(last) - withoutWasm(memory[0])).toBeLessThan(GROWTH_BYTES);
  expect(last?.wasm).toBeLessThan(MAX_WASM_BYTES);
});
