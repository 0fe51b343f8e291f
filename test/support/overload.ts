import { readBundle } from "../../node/files.ts";
import { profilesOf, taskFor } from "./rows.ts";
import type { RunningWorker } from "./worker.ts";

const MAX_TOKENS = 512;
/** As many as a request may have: most of them must be answered before there is capacity again. */
const TEXTS_ABOVE_CAPACITY = 64;
const TRIES = 200;

/** Numbers of texts that were made: a text that was read before takes next to no time, and no capacity. */
let made = 0;

/** Pushes a task of the maximum text length. @returns a function that makes a prediction's body of new long texts */
export async function pushLongTask(worker: RunningWorker): Promise<(texts: number, words?: number) => object> {
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2"), { maxTokens: MAX_TOKENS }), profilesOf(1));
  return (texts, words = MAX_TOKENS) => ({
    task: "demo",
    profile: "demo-000",
    inputs: Array.from({ length: texts }, () => `${made++} ${"river ".repeat(words)}`),
    logits: true,
  });
}

/**
 * Fills a Worker's capacity with one large request, and sends small ones beside it until one is rejected.
 *
 * @returns the pending response of the large request, and the rejection
 */
export async function overload(
  worker: RunningWorker,
): Promise<{ largest: Promise<Response | null>; rejected: Response }> {
  const bodyOf = await pushLongTask(worker);
  await worker.predict(bodyOf(1, 1));
  // There is no response if the Worker stops first.
  const largest = worker.predict(bodyOf(TEXTS_ABOVE_CAPACITY)).catch(() => null);
  for (let tries = 0; tries < TRIES; tries++) {
    const response = await worker.predict(bodyOf(1, 1));
    if (response.status !== 200) return { largest, rejected: response };
  }
  throw new Error(`Nothing was rejected in ${TRIES} tries.`);
}
