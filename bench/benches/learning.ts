import { median, quantile } from "d3-array";
import { RECIPE } from "../../src/learn/recipe.ts";
import { halvingRounds } from "../../src/learn/successive-halving.ts";
import { eventsOf } from "../../test/support/events.ts";
import { ask, predict } from "../asking.ts";
import type { Bench, Line } from "../bench.ts";
import { type InspectedWorker, type IsolateMemory, usedOf, wholeOf, withInspected } from "../memory/inspected.ts";
import { manyRows, profileOf } from "../memory/rows.ts";
import { MEGABYTE } from "../statistics.ts";
import { textOf } from "../texts.ts";

const MOST_SECONDS = 10;
const MOST_MEGABYTES = 100;
const TEXTS = 20;
const TOKENS = 32;
const TOPIC_WORDS = 10;
const ASKED_ALONE = 30;

const task = "task-0";

/** A word of each label, so that there is something to learn, and masks are kept: that is the longest way. */
const TOPICS = ["soup", "goal", "law"];

/** How one learning went, seen by who asked for it. */
interface Seen {
  readonly seconds: number;
  /** Longest time between two events, or before the first. */
  readonly gapSeconds: number;
  readonly epochs: number;
  readonly events: number;
}

/** Has a profile learnt from so many texts of 32 tokens, by the API's defaults. */
async function learn({ url, adminKey }: InspectedWorker, texts: number, seed: number): Promise<Seen> {
  const examples = Array.from({ length: texts }, (_, place) => ({
    text: `${place} ${textOf(TOKENS - 1 - TOPIC_WORDS)}${` ${TOPICS[place % TOPICS.length]}`.repeat(TOPIC_WORDS)}`,
    label: `label ${place % TOPICS.length}`,
  }));
  const start = performance.now();
  let [last, gap, events, epochs] = [start, 0, 0, Number.NaN];
  const path = `/v1/profiles/${task}/${profileOf(0)}/learn`;
  const response = await ask(url, "POST", path, { body: { examples, seed, dryRun: true }, key: adminKey });
  if (response.status !== 200) throw new Error(`A learning was answered ${response.status}: ${await response.text()}`);
  for await (const { event, data } of eventsOf(response)) {
    if (event === "problem") throw new Error(`A learning failed: ${JSON.stringify(data)}`);
    const now = performance.now();
    gap = Math.max(gap, now - last);
    last = now;
    events++;
    if (event === "learnt") epochs = Number(data.epochs);
  }
  return { seconds: (last - start) / 1000, gapSeconds: gap / 1000, epochs, events };
}

/** Texts that a learning reads: under each start, once more under the best, in turns of left-out ones, and all of them. */
const readsOf = (texts: number, { epochs }: Seen) =>
  halvingRounds(RECIPE.sampledStarts, texts).reduce((sum, round) => sum + (1 + round.known) * round.texts, 0) +
  texts +
  RECIPE.passes * texts * (RECIPE.folds - 1) +
  texts +
  epochs * texts;

async function askedMs(worker: InspectedWorker): Promise<number> {
  const start = performance.now();
  const response = await predict(worker.url, { task, profile: profileOf(1), inputs: textOf(TOKENS) });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`A prediction was answered ${response.status}.`);
  return performance.now() - start;
}

const highest = (samples: readonly IsolateMemory[]): IsolateMemory =>
  samples.reduce((one, other) => (wholeOf(other) > wholeOf(one) ? other : one));

export const learning: Bench = {
  name: "learning",
  about: "a profile learnt in the Worker from 20 texts of 32 tokens: seconds, memory, and predictions meanwhile",
  async run({ quick, progress }) {
    const texts = quick ? 4 : TEXTS;
    return await withInspected(await manyRows(1, 64), async (worker) => {
      await worker.load();
      progress(0, 3, "predictions alone");
      const alone: number[] = [];
      while (alone.length < (quick ? 3 : ASKED_ALONE)) alone.push(await askedMs(worker));

      progress(1, 3, "learning alone");
      let seen: Seen | undefined;
      const samples = await worker.sampled(async () => {
        seen = await learn(worker, texts, 1);
      });
      if (!seen) throw new Error("Nothing was learnt.");
      const peak = highest(samples);

      progress(2, 3, "predictions beside it");
      const beside: number[] = [];
      let going = true;
      const other = learn(worker, texts, 2).finally(() => {
        going = false;
      });
      // Whatever it fails with is thrown below, when the last prediction is answered.
      other.catch(() => {});
      while (going) beside.push(await askedMs(worker));
      await other;

      const stepMs = (RECIPE.textsPerStep * 1000 * seen.seconds) / readsOf(texts, seen);
      const waits = beside.map((ms) => ms - (median(alone) ?? Number.NaN));
      const table: Line[] = [
        { what: "learning, s", value: seen.seconds },
        { what: "events", value: seen.events },
        { what: "longest time between events, s", value: seen.gapSeconds },
        { what: "passes of the masks that were kept", value: seen.epochs },
        { what: "a step of four texts, ms", value: stepMs },
        { what: "WASM MB", value: peak.wasm / MEGABYTE },
        { what: "JS heap MB", value: peak.heap / MEGABYTE },
        { what: "outside MB", value: peak.outside / MEGABYTE },
        { what: "in use after it, garbage collected, MB", value: usedOf(await worker.inUse()) / MEGABYTE },
        { what: "a prediction alone, ms", value: median(alone) ?? Number.NaN },
        { what: "beside a learning, ms", value: median(beside) ?? Number.NaN },
        { what: "beside a learning, slowest of 20, ms", value: quantile(beside, 0.95) ?? Number.NaN },
      ];
      return {
        figures: {
          learn_seconds_20: { value: seen.seconds, unit: "s", goal: { most: MOST_SECONDS } },
          learn_isolate_mb: { value: wholeOf(peak) / MEGABYTE, unit: "MB", goal: { most: MOST_MEGABYTES } },
          learn_event_gap: { value: seen.gapSeconds, unit: "s", goal: { most: 1 } },
          learn_wait_steps: {
            value: (quantile(waits, 0.95) ?? Number.NaN) / stepMs,
            unit: "steps",
            goal: { most: 1 },
          },
        },
        table,
      };
    });
  },
};
