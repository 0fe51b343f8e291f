import { readBundle } from "../../node/files.ts";
import { MAX_TOKENS_IN_FLIGHT } from "../../src/serving/overload.ts";
import { profilesOf, taskFor } from "./rows.ts";
import type { RunningWorker } from "./worker.ts";

const LONGEST = 512;
const MORE_THAN_MAY_WAIT = MAX_TOKENS_IN_FLIGHT / LONGEST + 2;
const TRIES = 200;

/** Makes a task that reads texts of any length. @returns a prediction's body for so many texts of 512 tokens */
export async function writeLongTask(worker: RunningWorker): Promise<(texts: number, words?: number) => object> {
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2"), { maxTokens: LONGEST }), profilesOf(1));
  return (texts, words = LONGEST) => ({
    task: "demo",
    profile: "demo-000",
    inputs: Array.from({ length: texts }, () => "river ".repeat(words)),
    logits: true,
  });
}

/**
 * Has a Worker read more than may wait, and asks beside it until that is refused.
 *
 * @returns the answer to come of the large request, and the refusal
 */
export async function fill(worker: RunningWorker): Promise<{ largest: Promise<Response | null>; refused: Response }> {
  const bodyOf = await writeLongTask(worker);
  await worker.predict(bodyOf(1, 1));
  // Where the Worker is stopped before it has answered, there is none.
  const largest = worker.predict(bodyOf(MORE_THAN_MAY_WAIT)).catch(() => null);
  for (let tries = 0; tries < TRIES; tries++) {
    const answer = await worker.predict(bodyOf(1, 1));
    if (answer.status !== 200) return { largest, refused: answer };
  }
  throw new Error(`Nothing was refused in ${TRIES} tries.`);
}
