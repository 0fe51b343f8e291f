import { expect } from "vitest";
import { readBundle } from "../../node/files.ts";
import { profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker, type WorkerOptions } from "../support/worker.ts";

export const TEXT = "The committee met again and nobody was surprised.";

/** A text longer than the task's limit. */
export const LONG = "word ".repeat(100);

/** A label with its score or logit. */
export interface Scored {
  readonly label: string;
  readonly score: number;
}

type Values = Readonly<Record<string, number>>;

const byScore = (values: Values): Scored[] =>
  Object.entries(values)
    .map(([label, score]) => ({ label, score }))
    .sort((a, b) => b.score - a.score);

/** A Worker with a task of three labels and some profiles, and the answers of /v1/predict under `demo-000`. */
export async function startReferenceWorker(options: WorkerOptions = {}) {
  const worker: RunningWorker = await startWorker(options);
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(2));

  async function values(
    input: string | { text: string; textPair: string },
    what: "scores" | "logits",
  ): Promise<Values> {
    const answer = await worker.predict({ task: "demo", profile: "demo-000", inputs: input, [what]: true });
    const { predictions } = (await answer.json()) as { predictions: Record<typeof what, Values>[] };
    const [prediction] = predictions;
    if (!prediction) throw new RangeError("there is no prediction");
    return prediction[what];
  }

  return {
    worker,
    async ranked(input: string | { text: string; textPair: string }, what: "scores" | "logits"): Promise<Scored[]> {
      return byScore(await values(input, what));
    },
    /** Returns matchers for close scores: workerd and Node differ in an exponential's last bit. */
    async sigmoids(text: string): Promise<Scored[]> {
      const logits = Object.entries(await values(text, "logits"));
      const sigmoids = byScore(Object.fromEntries(logits.map(([label, logit]) => [label, 1 / (1 + Math.exp(-logit))])));
      return sigmoids.map(({ label, score }) => ({ label, score: expect.closeTo(score, 12) }));
    },
  };
}
