import type { Bundle } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";

/**
 * Checks that a bundle can serve a stored task.
 *
 * @throws XpeftError `bundle_mismatch` if the task was trained on another bundle, `invalid_row` if it reads more tokens
 * than the encoder
 */
export function checkTask(
  task: Pick<Task, "name" | "bundle" | "maxTokens">,
  { id, taskBundles, manifest }: Bundle,
): void {
  if (!taskBundles.includes(task.bundle)) {
    const message = `Task "${task.name}" was trained on bundle ${task.bundle}, and this is bundle ${id}.`;
    throw new XpeftError("bundle_mismatch", message);
  }
  if (task.maxTokens > manifest.maxTokens) {
    throw new XpeftError(
      "invalid_row",
      `Task "${task.name}" reads ${task.maxTokens} tokens; the encoder's limit is ${manifest.maxTokens}.`,
      { reason: "stored" },
    );
  }
}

/** A task's row. */
export interface Task {
  readonly name: string;
  /** Id of the bundle that head and masks were trained on. */
  readonly bundle: string;
  /** In the order of the logits. */
  readonly labels: readonly string[];
  /** Texts are truncated to this many tokens, special tokens included. */
  readonly maxTokens: number;
  /** Weight `[labels, hidden]`, then bias `[labels]`. */
  readonly head: Float32Array;
  /** Mask blob of the task's default profile. */
  readonly masks: Uint8Array;
  /** The adapter that all profiles share: src/profiles/task-adapter.ts. Null if the task has none. */
  readonly adapter: Uint8Array | null;
  readonly generation: number;
}

/** A task to write; the database assigns the generation. */
export type NewTask = Omit<Task, "generation">;

/** What predictions use of a task, beside the profile's parts. */
export type TaskParts = Pick<Task, "name" | "bundle" | "labels" | "maxTokens" | "head" | "adapter">;

/** A task as it is listed: without what is binary. */
export interface TaskSummary extends Omit<Task, "head" | "masks" | "adapter"> {
  readonly updatedAt: Date;
}

/** A task as it is stored. */
export interface StoredTask extends Task {
  readonly updatedAt: Date;
}
