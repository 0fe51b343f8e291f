import { readBundle } from "../../node/files.ts";
import { profilesOf, taskFor } from "../../test/support/rows.ts";
import { type Answer, count, onlyStatuses, type Statuses } from "../asking.ts";
import type { Bench, Line } from "../bench.ts";
import { BUNDLE } from "../graphs.ts";
import { type BenchWorker, withWorker } from "../isolate.ts";
import { ratioOf, spreadOf } from "../statistics.ts";
import { textOf } from "../texts.ts";

const TOKENS = 32;
const MANY = 32;
const FLOOD_TEXTS = 16;
const FLOOD_TOKENS = 128;

/** Milliseconds that each of some requests of one text takes, one after the other, while `busy` says so. */
async function timesOf(worker: BenchWorker, requests: number, busy: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (times.length < requests && busy()) {
    const start = performance.now();
    const statuses: Statuses = {};
    await count(statuses, worker.predict({ task: "demo", profile: "demo-000", inputs: textOf(TOKENS) }));
    onlyStatuses("A text", statuses, [200]);
    times.push(performance.now() - start);
  }
  return times;
}

/** The same while a request of many texts is being answered. */
async function timesBeside(worker: BenchWorker, requests: number): Promise<number[]> {
  const inputs = Array(MANY).fill(textOf(TOKENS));
  let answered = false;
  const statuses: Statuses = {};
  const many = count(statuses, worker.predict({ task: "demo", profile: "demo-001", inputs })).finally(() => {
    answered = true;
  });
  const times = await timesOf(worker, requests, () => !answered);
  await many;
  onlyStatuses("A request of many texts", statuses, [200]);
  // The last one may have had the encoder for itself; where it is the only one, it has waited for all 32.
  return times.length > 1 ? times.slice(0, -1) : times;
}

/** Requests that all come at once: how they were answered, and whether those that were let in got what one alone gets. */
async function flood(worker: BenchWorker, requests: number): Promise<Statuses> {
  const inputs = Array(FLOOD_TEXTS).fill(textOf(FLOOD_TOKENS));
  const ask = () => worker.predict({ task: "demo", profile: "demo-002", inputs, logits: true });
  const logitsOf = ({ body }: Answer) => {
    const { predictions } = JSON.parse(body) as { predictions: { logits: object }[] };
    return JSON.stringify(predictions.map(({ logits }) => logits));
  };
  const alone = logitsOf(await count({}, ask()));
  const statuses: Statuses = {};
  const answers = await Promise.all(Array.from({ length: requests }, () => count(statuses, ask())));
  onlyStatuses("A flood", statuses, [200, 503]);
  if (answers.some((answer) => answer.status === 200 && logitsOf(answer) !== alone))
    throw new Error("In a flood a text got another answer than alone.");
  return statuses;
}

export const many: Bench = {
  name: "many",
  about: "requests at once: one text beside 32, and a flood",
  async run({ quick, progress }) {
    const { turns, requests, floodRequests } = quick
      ? { turns: 1, requests: 5, floodRequests: 4 }
      : { turns: 15, requests: 20, floodRequests: 60 };
    return await withWorker(async (worker) => {
      await worker.push(taskFor(await readBundle(BUNDLE), { maxTokens: FLOOD_TOKENS }), profilesOf(3));
      await timesOf(worker, requests, () => true);
      const [idle, beside]: [number[][], number[][]] = [[], []];
      for (let turn = 0; turn < turns; turn++) {
        progress(turn, turns + 1, "one text beside 32");
        idle.push(await timesOf(worker, requests, () => true));
        beside.push(await timesBeside(worker, requests));
      }
      progress(turns, turns + 1, "flood");
      const statuses = await flood(worker, floodRequests);
      const line = (what: string, times: readonly number[]): Line => {
        const { median, p95 } = spreadOf(times);
        return { what, requests: times.length, "median ms": median, "p95 ms": p95 };
      };
      const medians = (turns: readonly number[][]) => turns.map((times) => spreadOf(times).median);
      const table: Line[] = [
        line("one text, alone", idle.flat()),
        line("one text, beside 32", beside.flat()),
        { what: "flood, answered", requests: statuses[200] ?? 0 },
        { what: "flood, refused with 503", requests: statuses[503] ?? 0 },
      ];
      return {
        figures: { beside_32: { value: ratioOf(medians(beside), medians(idle)).median, unit: "x" } },
        table,
      };
    });
  },
};
