import { mean } from "d3-array";
import { eventsOf } from "../../test/support/events.ts";
import type { RunningWorker } from "../../test/support/worker.ts";
import type { LabelledText } from "./folder.ts";

/** Texts of a request at most. */
const AT_ONCE = 64;

/** How well one newcomer was learnt. */
export interface LearntOne {
  readonly kept: string;
  readonly seconds: number;
  /** For each test text whether its label was found, and how far off it was where labels are numbers. */
  readonly answers: readonly { readonly right: boolean; readonly off: number }[];
}

async function predictAll(
  worker: RunningWorker,
  task: string,
  profile: string,
  texts: readonly string[],
): Promise<string[]> {
  const labels: string[] = [];
  for (let start = 0; start < texts.length; start += AT_ONCE) {
    const inputs = texts.slice(start, start + AT_ONCE);
    const response = await worker.predict({ task, profile, inputs }, { headers: { "cache-control": "no-cache" } });
    if (response.status !== 200)
      throw new Error(`A prediction was answered ${response.status}: ${await response.text()}`);
    const { predictions } = await response.json<{ predictions: { label: string }[] }>();
    labels.push(...predictions.map(({ label }) => label));
  }
  return labels;
}

/** Has a Worker learn a newcomer by the API's defaults, asks it for the test texts, and takes the newcomer away again. */
export async function learnOne(
  worker: RunningWorker,
  task: string,
  profile: string,
  own: readonly LabelledText[],
  seed: number,
): Promise<LearntOne> {
  const examples = own.filter(({ split }) => split === "train").map(({ text, label }) => ({ text, label }));
  const path = `/v1/profiles/${task}/${profile}`;
  const response = await worker.ask("POST", `${path}/learn`, { body: { examples, seed } });
  if (response.status !== 200) throw new Error(`${profile} was answered ${response.status}: ${await response.text()}`);
  const events = await Array.fromAsync(eventsOf(response));
  const last = events.at(-1);
  if (last?.event !== "learnt") throw new Error(`${profile} was not learnt: ${JSON.stringify(last)}`);
  const tests = own.filter(({ split }) => split === "test");
  const labels = await predictAll(
    worker,
    task,
    profile,
    tests.map(({ text }) => text),
  );
  await worker.ask("DELETE", path);
  return {
    kept: String(last.data.kept),
    seconds: Number(last.data.seconds),
    answers: tests.map(({ label }, place) => ({
      right: labels[place] === label,
      off: Math.abs(Number(labels[place]) - Number(label)),
    })),
  };
}

/** Macro accuracy, mean absolute error where labels are numbers, and what was kept how often. */
export function scoresOf(all: readonly LearntOne[]) {
  const macro = mean(all, ({ answers }) => mean(answers, ({ right }) => Number(right))) ?? Number.NaN;
  const mae = mean(
    all.flatMap(({ answers }) => answers),
    ({ off }) => off,
  );
  const kept: Record<string, number> = {};
  for (const one of all) kept[one.kept] = (kept[one.kept] ?? 0) + 1;
  const seconds = mean(all, (one) => one.seconds) ?? Number.NaN;
  return { macro, ...(mae !== undefined && !Number.isNaN(mae) && { mae }), kept, seconds };
}
