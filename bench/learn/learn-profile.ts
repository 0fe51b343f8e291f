import { mean, rollup } from "d3-array";
import { MAX_INPUTS } from "../../functions/http/text-schemas.ts";
import { readEvents } from "../../test/support/events.ts";
import type { RunningWorker } from "../../test/support/worker.ts";
import type { LabelledText, WorkerScores } from "./files.ts";

/** A learned profile and its predictions. */
export interface LearnedProfile {
  /** The candidate that won. */
  readonly winner: string;
  readonly seconds: number;
  /** By test text: whether the label is correct, and its error if labels are numbers. */
  readonly predictions: readonly { readonly correct: boolean; readonly error: number }[];
}

async function predictAll(
  worker: RunningWorker,
  task: string,
  profile: string,
  texts: readonly string[],
): Promise<string[]> {
  const labels: string[] = [];
  for (let start = 0; start < texts.length; start += MAX_INPUTS) {
    const inputs = texts.slice(start, start + MAX_INPUTS);
    const response = await worker.predict({ task, profile, inputs }, { headers: { "cache-control": "no-cache" } });
    if (response.status !== 200)
      throw new Error(`A prediction got status ${response.status}: ${await response.text()}`);
    const { predictions } = await response.json<{ predictions: { label: string }[] }>();
    labels.push(...predictions.map(({ label }) => label));
  }
  return labels;
}

/** Learns a profile in the Worker with the API's defaults, predicts its test texts, and deletes the profile. */
export async function learnProfile(
  worker: RunningWorker,
  task: string,
  profile: string,
  texts: readonly LabelledText[],
  seed: number,
): Promise<LearnedProfile> {
  const examples = texts.filter(({ split }) => split === "train").map(({ text, label }) => ({ text, label }));
  const path = `/v1/profiles/${task}/${profile}`;
  const response = await worker.request("POST", `${path}/learn`, { body: { examples, seed } });
  if (response.status !== 200)
    throw new Error(`Learning ${profile} got status ${response.status}: ${await response.text()}`);
  const last = (await readEvents(response)).at(-1);
  if (last?.event !== "learnt") throw new Error(`Learning ${profile} failed: ${JSON.stringify(last)}`);
  const tests = texts.filter(({ split }) => split === "test");
  const inputs = tests.map(({ text }) => text);
  const labels = await predictAll(worker, task, profile, inputs);
  await worker.request("DELETE", path);
  return {
    winner: String(last.data.kept),
    seconds: Number(last.data.seconds),
    predictions: tests.map(({ label }, index) => ({
      correct: labels[index] === label,
      error: Math.abs(Number(labels[index]) - Number(label)),
    })),
  };
}

/** Returns macro accuracy, mean absolute error if labels are numbers, mean seconds, and how often each candidate won. */
export function scoresOf(profiles: readonly LearnedProfile[]): WorkerScores["counts"][string] {
  const accuracy = ({ predictions }: LearnedProfile) => mean(predictions, ({ correct }) => Number(correct));
  const mae = mean(
    profiles.flatMap(({ predictions }) => predictions),
    ({ error }) => error,
  );
  const wins = rollup(
    profiles,
    (group) => group.length,
    ({ winner }) => winner,
  );
  return {
    macro: mean(profiles, accuracy) ?? Number.NaN,
    ...(mae !== undefined && !Number.isNaN(mae) && { mae }),
    kept: Object.fromEntries(wins),
    seconds: mean(profiles, ({ seconds }) => seconds) ?? Number.NaN,
  };
}
