import { type Client, learning, unwrap } from "../../client/index.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { fromBase64 } from "../../src/lib/base64.ts";
import { parseStoredTask } from "../../src/profiles/file-format.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import type { Learner, LearnSettings } from "./learner.ts";

/**
 * Reads a task from a running Worker.
 *
 * @throws ProblemError; XpeftError `mismatched_write` if the task is of another bundle
 */
export async function readWorkerTask(client: Client, name: string, bundle: Bundle): Promise<NewTask> {
  const taskFile = await unwrap(client.v1.tasks[":task"].$get({ param: { task: name } }));
  return parseStoredTask(JSON.stringify(taskFile), bundle);
}

/**
 * Returns a learner that lets a running Worker learn.
 *
 * @param task the Worker's task, if it was read
 * @param write whether the Worker writes learnt profiles to its database
 */
export function createWorkerLearner(
  client: Client,
  name: string,
  task: NewTask | null,
  write: boolean,
  { start, knownLabels, epochs, seed, force = false }: LearnSettings,
): Learner {
  return {
    name,
    task,
    async learn(profile, examples, onProgress) {
      const labelledTexts = examples.map(({ input, label }) => ({ ...input, label }));
      const response = client.v1.profiles[":task"][":profile"].learn.$post({
        param: { task: name, profile },
        json: { examples: labelledTexts, start, knownLabels, epochs, seed, dryRun: !write, force },
      });
      const { masks, labelBias, epochs: passes, ...learnt } = await learning(response, onProgress);
      const parts = { masks: fromBase64(masks), labelBias: labelBias === null ? null : fromBase64(labelBias) };
      return { ...learnt, passes, parts };
    },
  };
}
