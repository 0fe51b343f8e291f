import type { Bench, Row } from "../bench.ts";
import {
  type InspectedWorker,
  MAX_MEGABYTES,
  peakOf,
  totalBytes,
  withInspectedWorker,
} from "../memory/inspected-worker.ts";
import { createTasks, profileId } from "../memory/tasks.ts";
import { checkStatuses, countStatus, predict, type Statuses, send } from "../requests.ts";
import { MEGABYTE, medianOf, pairedRatio, quantilesOf } from "../statistics.ts";
import { newText } from "../texts.ts";

const TOKENS = 32;
const TASK = "task-0";
/** Fan-outs at once. */
const AT_ONCE = 100;

/** Returns milliseconds of predictions of new texts, sent one after the other. */
async function timePredictions(worker: InspectedWorker, count: number): Promise<number[]> {
  const times: number[] = [];
  const statuses: Statuses = {};
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    await countStatus(
      statuses,
      predict(worker.url, { task: TASK, profile: profileId(index), inputs: newText(TOKENS) }),
    );
    times.push(performance.now() - start);
  }
  checkStatuses("A prediction", statuses, [200]);
  return times;
}

/** Fans a new text out. @param onStart is called when the answer begins @returns the number of profiles that were read */
async function fanOut(worker: InspectedWorker, profiles: unknown, onStart?: () => void): Promise<number> {
  const body = { task: TASK, text: newText(TOKENS), profiles };
  const response = await send(worker.url, "POST", "/v1/fanout", {
    body,
    key: worker.adminKey,
  });
  onStart?.();
  const text = await response.text();
  checkStatuses(`A fan-out (${text.slice(0, 200)})`, { [response.status]: 1 }, [200]);
  const last = JSON.parse(text.trimEnd().split("\n").at(-1) ?? "") as { done?: boolean; profiles: number };
  if (last.done !== true) throw new Error(`A fan-out ended with ${JSON.stringify(last)}.`);
  return last.profiles;
}

/** Runs work while that many fan-outs run all the time, from when each has begun. */
async function besideFanOuts(worker: InspectedWorker, count: number, work: () => Promise<unknown>): Promise<void> {
  let active = true;
  const starts = Array.from({ length: count }, () => Promise.withResolvers<void>());
  const loops = starts.map(async ({ resolve: onStart }, index) => {
    // About a thousand profiles each.
    for (const prefix = `demo-${1 + (index % 9)}`; active; ) await fanOut(worker, { prefix }, onStart);
  });
  const started = Promise.all(starts.map(({ promise }) => promise));
  const stopped = Promise.all(loops);
  await Promise.race([started.then(work), stopped]).finally(() => {
    active = false;
  });
  await stopped;
}

export const fanout: Bench = {
  name: "fanout",
  description: "one text under 10,000 profiles in one request, and predictions beside 100 of such requests",
  async run({ quick, progress }) {
    const size = quick
      ? { profiles: 200, fanOuts: 1, rounds: 1, predictions: 3 }
      : { profiles: 10_000, fanOuts: 5, rounds: 4, predictions: 50 };
    return await withInspectedWorker(await createTasks(1, size.profiles), async (worker) => {
      await worker.load();
      await timePredictions(worker, size.predictions);
      const table: Row[] = [];
      const [single, whole]: [number[], number[]] = [[], []];
      const samples = await worker.sampleDuring(async () => {
        for (let round = 0; round < size.fanOuts; round++) {
          progress(round, size.fanOuts, `${size.profiles} profiles`);
          single.push(medianOf(await timePredictions(worker, size.predictions)));
          const start = performance.now();
          const read = await fanOut(worker, "all");
          whole.push(performance.now() - start);
          if (read !== size.profiles) throw new Error(`A fan-out read ${read} profiles.`);
        }
      });
      const [alone, beside]: [number[][], number[][]] = [[], []];
      const crowded = await worker.sampleDuring(async () => {
        for (let round = 0; round < size.rounds; round++) {
          progress(round, size.rounds, `beside ${AT_ONCE}`);
          alone.push(await timePredictions(worker, size.predictions));
          const work = async () => beside.push(await timePredictions(worker, size.predictions));
          await besideFanOuts(worker, AT_ONCE, work);
        }
      });
      const p95 = (times: readonly number[]) => quantilesOf(times).p95;
      const row = (what: string, times: readonly number[]): Row => {
        const quantiles = quantilesOf(times);
        return { what, requests: times.length, "median ms": quantiles.median, "p95 ms": quantiles.p95 };
      };
      const megabytes = { one: totalBytes(peakOf(samples)) / MEGABYTE, many: totalBytes(peakOf(crowded)) / MEGABYTE };
      table.push(
        row("a prediction (medians of rounds)", single),
        { ...row(`a fan-out over ${size.profiles} profiles`, whole), "peak MB": megabytes.one },
        row("a prediction alone", alone.flat()),
        { ...row(`a prediction beside ${AT_ONCE} fan-outs`, beside.flat()), "peak MB": megabytes.many },
      );
      return {
        figures: {
          fanout_10000: { value: pairedRatio(whole, single).median, unit: "x", goal: { most: 500 } },
          fanout_mb: { value: megabytes.one, unit: "MB", goal: { most: MAX_MEGABYTES } },
          fanout_100_mb: { value: megabytes.many, unit: "MB", goal: { most: MAX_MEGABYTES } },
          beside_100_fanouts: {
            value: pairedRatio(beside.map(p95), alone.map(p95)).median,
            unit: "x",
            goal: { most: 2 },
          },
        },
        table,
      };
    });
  },
};
