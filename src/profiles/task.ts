import type { Manifest } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";
import type { Task } from "../serving/engine.ts";

/**
 * Checks that a stored task can be answered by a bundle.
 *
 * @throws XpeftError `bundle_mismatch` if it was trained on another, `invalid_row` if it reads more than the encoder does
 */
export function checkTask(
  task: Pick<Task, "name" | "bundle" | "maxTokens">,
  { id, manifest }: { id: string; manifest: Manifest },
): void {
  if (task.bundle !== id) {
    throw new XpeftError(
      "bundle_mismatch",
      `Task "${task.name}" was trained on bundle ${task.bundle}, and this is bundle ${id}.`,
      "Write the task and its profiles as trained on this bundle, or deploy theirs.",
    );
  }
  if (task.maxTokens > manifest.maxTokens) {
    throw new XpeftError(
      "invalid_row",
      `Task "${task.name}" reads ${task.maxTokens} tokens, and the encoder takes ${manifest.maxTokens}.`,
      "The task's row is damaged: write the task again.",
    );
  }
}
