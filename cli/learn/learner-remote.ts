import { type Client, learning, unwrap } from "../../client/index.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { fromBase64 } from "../../src/lib/base64.ts";
import { parseTask } from "../../src/profiles/file-format.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import type { Learner, LearnOptions } from "./learner.ts";

/**
 * Reads a running Worker's task.
 *
 * @throws ProblemError; XpeftError `mismatched_write` if it is of another bundle
 */
export async function readServedTask(client: Client, name: string, bundle: Bundle): Promise<NewTask> {
  const file = await unwrap(client.v1.tasks[":task"].$get({ param: { task: name } }));
  return parseTask(JSON.stringify(file), bundle);
}

/**
 * Learns in a running Worker.
 *
 * @param task as the Worker has it, where that is known
 * @param write whether the profiles are written there
 */
export function createRemoteLearner(
  client: Client,
  name: string,
  task: NewTask | null,
  write: boolean,
  { start, epochs, seed }: Omit<LearnOptions, "bundle">,
): Learner {
  return {
    name,
    task,
    async learn(profile, examples, onProgress) {
      const labelled = examples.map(({ input, label }) => ({ ...input, label }));
      const asked = client.v1.profiles[":task"][":profile"].learn.$post({
        param: { task: name, profile },
        json: { examples: labelled, start, epochs, seed, dryRun: !write },
      });
      const { masks, labelBias, epochs: passes, ...learnt } = await learning(asked, onProgress);
      const parts = { masks: fromBase64(masks), labelBias: labelBias === null ? null : fromBase64(labelBias) };
      return { ...learnt, passes, parts };
    },
  };
}
