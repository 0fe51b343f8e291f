import { eventsOf } from "../../test/support/events.ts";
import type { Bench } from "../bench.ts";
import {
  type InspectedWorker,
  MAX_MEGABYTES,
  peakOf,
  totalBytes,
  usedBytes,
  withInspectedWorker,
} from "../memory/inspected-worker.ts";
import { createTasks, profileId } from "../memory/tasks.ts";
import { predict, send } from "../requests.ts";
import { MEGABYTE, medianOf, quantilesOf } from "../statistics.ts";
import { newText, textOf } from "../texts.ts";

const TEXTS = 20;
const TOKENS = 32;
const TOPIC_WORDS = 10;
const PREDICTIONS = 30;

const task = "task-0";

/** A word for each label. They make labels learnable, so that masks win, which is the slowest path. */
const TOPICS = ["soup", "goal", "law"];

/** A learning run as the client sees it. */
interface LearningRun {
  readonly seconds: number;
  /** The longest time between two events, or before the first. */
  readonly gapSeconds: number;
  readonly epochs: number;
  readonly events: number;
}

/** Learns a profile from that many texts of 32 tokens, with the API's defaults. */
async function learn({ url, adminKey }: InspectedWorker, texts: number, seed: number): Promise<LearningRun> {
  const examples = Array.from({ length: texts }, (_, index) => ({
    text: `${index} ${textOf(TOKENS - 1 - TOPIC_WORDS)}${` ${TOPICS[index % TOPICS.length]}`.repeat(TOPIC_WORDS)}`,
    label: `label ${index % TOPICS.length}`,
  }));
  const start = performance.now();
  let [last, gap, events, epochs] = [start, 0, 0, Number.NaN];
  const path = `/v1/profiles/${task}/${profileId(0)}/learn`;
  const response = await send(url, "POST", path, { body: { examples, seed, dryRun: true }, key: adminKey });
  if (response.status !== 200) throw new Error(`Learning got status ${response.status}: ${await response.text()}`);
  for await (const { event, data } of eventsOf(response)) {
    if (event === "problem") throw new Error(`Learning failed: ${JSON.stringify(data)}`);
    const now = performance.now();
    gap = Math.max(gap, now - last);
    last = now;
    events++;
    if (event === "learnt") epochs = Number(data.epochs);
  }
  return { seconds: (last - start) / 1000, gapSeconds: gap / 1000, epochs, events };
}

async function timePrediction({ url }: InspectedWorker): Promise<number> {
  const start = performance.now();
  const response = await predict(url, { task, profile: profileId(1), inputs: newText(TOKENS) });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`A prediction got status ${response.status}.`);
  return performance.now() - start;
}

export const learning: Bench = {
  name: "learning",
  description: "a profile learned in the Worker from 20 texts of 32 tokens: seconds, memory, predictions meanwhile",
  async run({ quick, progress }) {
    const texts = quick ? 4 : TEXTS;
    return await withInspectedWorker(await createTasks(1, 64), async (worker) => {
      await worker.load();
      progress(0, 3, "predictions alone");
      const alone: number[] = [];
      while (alone.length < (quick ? 3 : PREDICTIONS)) alone.push(await timePrediction(worker));

      progress(1, 3, "learning alone");
      const runs: LearningRun[] = [];
      const samples = await worker.sampleDuring(async () => {
        runs.push(await learn(worker, texts, 1));
      });
      const [run] = runs;
      if (!run) throw new Error("Learning returned nothing.");
      const peak = peakOf(samples);

      progress(2, 3, "predictions while learning");
      const beside: number[] = [];
      let active = true;
      const second = learn(worker, texts, 2).finally(() => {
        active = false;
      });
      // Its error is thrown below, after the last prediction.
      second.catch(() => {});
      while (active) beside.push(await timePrediction(worker));
      await second;

      const aloneMs = medianOf(alone);
      const { median: besideMs, p95: slowestMs } = quantilesOf(beside);
      return {
        figures: {
          learn_seconds_20: { value: run.seconds, unit: "s", goal: { most: 10 } },
          learn_isolate_mb: { value: totalBytes(peak) / MEGABYTE, unit: "MB", goal: { most: MAX_MEGABYTES } },
          learn_event_gap: { value: run.gapSeconds, unit: "s", goal: { most: 1 } },
          learn_20: { value: (1000 * run.seconds) / aloneMs, unit: "x", goal: { most: 60 } },
          learn_wait: { value: (slowestMs - aloneMs) / aloneMs, unit: "x", goal: { most: 1 } },
        },
        table: [
          { what: "learning, s", value: run.seconds },
          { what: "events", value: run.events },
          { what: "longest time between events, s", value: run.gapSeconds },
          { what: "passes of the accepted masks", value: run.epochs },
          { what: "WASM MB", value: peak.wasm / MEGABYTE },
          { what: "JS heap MB", value: peak.heap / MEGABYTE },
          { what: "outside MB", value: peak.outside / MEGABYTE },
          { what: "in use after it, garbage collected, MB", value: usedBytes(await worker.inUse()) / MEGABYTE },
          { what: "a prediction alone, ms", value: aloneMs },
          { what: "while learning, ms", value: besideMs },
          { what: "while learning, slowest of 20, ms", value: slowestMs },
        ],
      };
    });
  },
};
