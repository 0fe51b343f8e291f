import type { Bench, Row } from "../bench.ts";
import { checkStatuses, countStatus, type ReadResponse, type Statuses } from "../requests.ts";
import { medianOf, pairedRatio, quantilesOf } from "../statistics.ts";
import { newText, newTexts } from "../texts.ts";
import { type BenchWorker, pushDemo, withWorker } from "../with-worker.ts";

const TOKENS = 32;
const BATCH_TEXTS = 32;
const FLOOD_TEXTS = 16;
const FLOOD_TOKENS = 128;

/** Returns milliseconds of requests with one text, sent one after the other while `active` returns true. */
async function timeRequests(worker: BenchWorker, requests: number, active = () => true): Promise<number[]> {
  const times: number[] = [];
  while (times.length < requests && active()) {
    const start = performance.now();
    const statuses: Statuses = {};
    await countStatus(statuses, worker.predict({ task: "demo", profile: "demo-000", inputs: newText(TOKENS) }));
    checkStatuses("One text", statuses, [200]);
    times.push(performance.now() - start);
  }
  return times;
}

/** Returns the same during a request of many texts. */
async function timeBesideBatch(worker: BenchWorker, requests: number): Promise<number[]> {
  const inputs = newTexts(BATCH_TEXTS, TOKENS);
  let active = true;
  const statuses: Statuses = {};
  const batch = countStatus(statuses, worker.predict({ task: "demo", profile: "demo-001", inputs })).finally(() => {
    active = false;
  });
  const times = await timeRequests(worker, requests, () => active);
  await batch;
  checkStatuses("A batch", statuses, [200]);
  // The last request may have ended after the batch. A single one waited for the whole batch and counts.
  return times.length > 1 ? times.slice(0, -1) : times;
}

/** Sends requests all at once and counts their statuses. @throws Error if an accepted request gets other logits than alone */
async function flood(worker: BenchWorker, requests: number): Promise<Statuses> {
  const request = (inputs: readonly string[]) =>
    worker.predict({ task: "demo", profile: "demo-002", inputs, logits: true });
  const logitsOf = ({ body }: ReadResponse) => {
    const { predictions } = JSON.parse(body) as { predictions: { logits: object }[] };
    return JSON.stringify(predictions.map(({ logits }) => logits));
  };
  const batches = Array.from({ length: requests }, () => newTexts(FLOOD_TEXTS, FLOOD_TOKENS));
  const statuses: Statuses = {};
  const responses = await Promise.all(batches.map((inputs) => countStatus(statuses, request(inputs))));
  checkStatuses("A flood", statuses, [200, 503]);
  for (const [place, response] of responses.entries()) {
    if (response.status !== 200) continue;
    const alone = await countStatus({}, request(batches[place] ?? []));
    if (logitsOf(response) !== logitsOf(alone)) throw new Error("In a flood a text got other logits than alone.");
  }
  return statuses;
}

export const concurrency: Bench = {
  name: "concurrency",
  description: "simultaneous requests: one text beside 32, and a flood",
  async run({ quick, progress }) {
    const { rounds, requests, floodRequests } = quick
      ? { rounds: 1, requests: 5, floodRequests: 4 }
      : { rounds: 15, requests: 20, floodRequests: 60 };
    return await withWorker(async (worker) => {
      await pushDemo(worker, 3, { maxTokens: FLOOD_TOKENS });
      await timeRequests(worker, requests);
      const [alone, beside]: [number[][], number[][]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        progress(round, rounds + 1, "one text beside 32");
        alone.push(await timeRequests(worker, requests));
        beside.push(await timeBesideBatch(worker, requests));
      }
      progress(rounds, rounds + 1, "flood");
      const statuses = await flood(worker, floodRequests);
      const row = (what: string, times: readonly number[]): Row => {
        const { median, p95 } = quantilesOf(times);
        return { what, requests: times.length, "median ms": median, "p95 ms": p95 };
      };
      return {
        figures: {
          beside_32: { value: pairedRatio(beside.map(medianOf), alone.map(medianOf)).median, unit: "x" },
        },
        table: [
          row("one text, alone", alone.flat()),
          row("one text, beside 32", beside.flat()),
          { what: "flood, accepted", requests: statuses[200] ?? 0 },
          { what: "flood, rejected with 503", requests: statuses[503] ?? 0 },
        ],
      };
    });
  },
};
