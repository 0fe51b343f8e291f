import { XpeftError } from "../errors.ts";
import type { TaskParts } from "../profiles/task.ts";

/** Returns how many numbers a task's head has: weight `[labels, hidden]`, then bias `[labels]`. */
function headLength(labels: number, hidden: number): number {
  return labels * hidden + labels;
}

/**
 * Returns the logits of a text: `weight · features + bias + labelBias`.
 *
 * @param task its head has {@link headLength} numbers
 * @param labelBias the profile's, `[labels]`, or null
 * @param features `[hidden]`, from the encoder, under the task's adapter
 * @returns `[labels]`
 * @throws XpeftError `invalid_row` if the head has another length, or if a logit is not finite; `bundle_unusable` if a
 * feature is not finite although the task has no adapter
 */
export function labelLogits(
  { head, labels: { length: labels }, adapter }: Pick<TaskParts, "head" | "labels" | "adapter">,
  labelBias: Float32Array | null,
  features: Float32Array,
): number[] {
  const hidden = features.length;
  if (head.length !== headLength(labels, hidden)) {
    const message = `A head of ${head.length} numbers does not fit ${labels} labels over ${hidden} features.`;
    throw new XpeftError("invalid_row", message, { reason: "stored" });
  }
  if (!features.every(Number.isFinite)) {
    // The bundle gives finite features without it: a probe checks that.
    if (adapter) throw trainingError("adapter makes features that are not finite.");
    throw notFiniteError();
  }
  const logits = Array.from({ length: labels }, (_, label) => {
    let logit = (head[labels * hidden + label] ?? Number.NaN) + (labelBias?.[label] ?? 0);
    for (let i = 0; i < hidden; i++) {
      logit += (features[i] ?? Number.NaN) * (head[label * hidden + i] ?? Number.NaN);
    }
    return logit;
  });
  if (!logits.every(Number.isFinite)) {
    throw trainingError("head has numbers that are not finite.");
  }
  return logits;
}

const trainingError = (fault: string) => new XpeftError("invalid_row", `The task's ${fault}`, { reason: "training" });

/** Returns the softmax of logits: scores from 0 to 1 whose sum is 1. */
export function softmax(logits: readonly number[]): number[] {
  // Subtracting the greatest keeps the exponentials from overflowing.
  const greatest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - greatest));
  const sum = powers.reduce((total, power) => total + power);
  return powers.map((power) => power / sum);
}

/** Returns the error for features that are not finite. */
export function notFiniteError(): XpeftError {
  return new XpeftError("bundle_unusable", "The encoder gave features that are not finite.", { reason: "features" });
}

/** Returns the index of the greatest score; the first one of equal scores. */
export function bestLabel(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores));
}
