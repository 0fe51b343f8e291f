import { XpeftError } from "../errors.ts";
import type { ProfileHead } from "../profiles/profile-head.ts";
import type { TaskParts } from "../profiles/task.ts";

/** Returns how many numbers a task's head has: weight `[labels, hidden]`, then bias `[labels]`. */
function headLength(labels: number, hidden: number): number {
  return labels * hidden + labels;
}

/**
 * Returns the logits of a text: `weight · features + bias + labelBias + Σ scale · left · (right · features)`, the sum
 * over the ranks of the profile's head change. Labels that the profile does not know have logits too.
 *
 * @param task its head has {@link headLength} numbers
 * @param profileHead what the profile changes of the head; null if nothing
 * @param features `[hidden]`, from the encoder, under the task's adapter
 * @returns `[labels]`
 * @throws XpeftError `invalid_row` if the head has another length, or if a logit is not finite; `bundle_unusable` if a
 * feature is not finite although the task has no adapter
 */
export function labelLogits(
  { head, labels: { length: labels }, adapter }: Pick<TaskParts, "head" | "labels" | "adapter">,
  profileHead: ProfileHead | null,
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
    let logit = (head[labels * hidden + label] ?? Number.NaN) + (profileHead?.bias[label] ?? 0);
    for (let i = 0; i < hidden; i++) {
      logit += (features[i] ?? Number.NaN) * (head[label * hidden + i] ?? Number.NaN);
    }
    return logit;
  });
  for (const { scale, left, right } of profileHead?.change ?? []) {
    const along = features.reduce((sum, feature, i) => sum + feature * (right[i] ?? Number.NaN), 0);
    for (const [label, step] of left.entries()) logits[label] = (logits[label] ?? Number.NaN) + scale * step * along;
  }
  if (!logits.every(Number.isFinite)) {
    throw trainingError("head has numbers that are not finite.");
  }
  return logits;
}

/**
 * Returns a task's head as a profile changes it, weight `[labels, d]`, then bias `[labels]`: with it alone, a text has
 * the logits that {@link labelLogits} gives it under the profile, up to rounding.
 */
export function changedHead(
  { head, labels: { length: labels } }: Pick<TaskParts, "head" | "labels">,
  { bias, change }: ProfileHead,
): Float32Array {
  const changed = head.slice();
  const add = (index: number, value: number) => {
    changed[index] = (changed[index] ?? Number.NaN) + value;
  };
  for (const [label, value] of Array.from(bias).entries()) add(head.length - labels + label, value);
  for (const { scale, left, right } of change) {
    for (const [label, leftStep] of left.entries()) {
      for (const [i, rightStep] of right.entries()) add(label * right.length + i, scale * leftStep * rightStep);
    }
  }
  return changed;
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
