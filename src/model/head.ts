import { XpeftError } from "../errors.ts";

/** Returns how many numbers a task's head has: weight `[labels, hidden]`, then bias `[labels]`. */
function headLength(labels: number, hidden: number): number {
  return labels * hidden + labels;
}

/**
 * Returns the logits of a text: `weight · features + bias + labelBias`.
 *
 * @param head {@link headLength} numbers
 * @param labelBias the profile's, `[labels]`, or null
 * @param features `[hidden]`, from the encoder
 * @param labels the number of labels
 * @returns `[labels]`
 * @throws XpeftError `invalid_row` if the head has another length or a logit is not finite, `bundle_unusable` if a
 * feature is not finite
 */
export function labelLogits(
  head: Float32Array,
  labelBias: Float32Array | null,
  features: Float32Array,
  labels: number,
): number[] {
  const hidden = features.length;
  if (head.length !== headLength(labels, hidden)) {
    const message = `A head of ${head.length} numbers does not fit ${labels} labels over ${hidden} features.`;
    throw new XpeftError("invalid_row", message, { reason: "stored" });
  }
  if (!features.every(Number.isFinite)) {
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
    throw new XpeftError("invalid_row", "The task's head has numbers that are not finite.", { reason: "training" });
  }
  return logits;
}

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
