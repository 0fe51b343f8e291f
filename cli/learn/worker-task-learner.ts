import { type Client, learningTask } from "../../client/index.ts";
import type { LearnTaskProgress, LearnTaskRequest } from "../../src/learn/learn-task.ts";
import type { LearntTaskFile } from "./learnt-task.ts";

/**
 * Lets a running Worker learn a task.
 *
 * @param query whether it writes the task, and what happens to the profiles of a task that is replaced
 * @throws ProblemError
 */
export async function learnTaskInWorker(
  client: Client,
  { name, examples, labels, maxTokens, seed, targetAccuracy }: LearnTaskRequest,
  query: { dryRun: "true" | "false"; profiles: "keep" | "delete" },
  onProgress: (progress: LearnTaskProgress) => void,
): Promise<LearntTaskFile> {
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
  const { abstain: abstention, ...learnt } = await learningTask(response, onProgress);
  return { ...learnt, abstention };
}
