import { type Client, learningTask } from "../../client/index.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import type { LearnTaskProgress, LearnTaskRequest } from "../../src/learn/learn-task.ts";
import { parseTask } from "../../src/profiles/file-format.ts";
import type { LearntTaskRow } from "../../src/serving/learn-task.ts";

/**
 * Lets a running Worker learn a task.
 *
 * @param query whether it writes the task, and what happens to the profiles of a task that is replaced
 * @throws ProblemError; XpeftError `mismatched_write` if the Worker has another bundle
 */
export async function learnTaskInWorker(
  client: Client,
  { name, examples, labels, maxTokens, seed, targetAccuracy }: LearnTaskRequest,
  query: { dryRun: "true" | "false"; profiles: "keep" | "delete" },
  bundle: Bundle,
  onProgress: (progress: LearnTaskProgress) => void,
): Promise<LearntTaskRow> {
  const response = client.v1.tasks[":task"].learn.$post({
    param: { task: name },
    query,
    json: {
      examples: examples.map(({ input, label }) => ({ ...input, label })),
      ...(labels && { labels: [...labels] }),
      ...(maxTokens !== undefined && { maxTokens }),
      ...(seed !== undefined && { seed }),
      ...(targetAccuracy !== undefined && { targetAccuracy }),
    },
  });
  const { file, abstain: abstention, ...learnt } = await learningTask(response, onProgress);
  return { ...learnt, abstention, task: parseTask(JSON.stringify(file), bundle) };
}
