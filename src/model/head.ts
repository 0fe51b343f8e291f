import { XpeftError } from "../errors.ts";

/** Numbers in a task's head: weight `[labels, hidden]`, then bias `[labels]`. */
export function headLength(labels: number, hidden: number): number {
  return labels * hidden + labels;
}

/**
 * Computes the logits of a text: `weight · features + bias + own`.
 *
 * @param head {@link headLength} numbers
 * @param own the profile's label bias, `[labels]`, or null
 * @param features `[hidden]`, from the encoder
 * @param labels how many there are
 * @returns `[labels]`
 * @throws XpeftError `invalid_row` if the head is not of this length or not all numbers, `bundle_unusable` if the
 * features are not all finite
 */
export function labelLogits(
  head: Float32Array,
  own: Float32Array | null,
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
    let logit = (head[labels * hidden + label] ?? Number.NaN) + (own?.[label] ?? 0);
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

/** Turns logits into scores from 0 to 1, whose sum is 1. */
export function softmax(logits: readonly number[]): number[] {
  // Less the greatest, so that no exponential overflows.
  const greatest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - greatest));
  const sum = powers.reduce((total, power) => total + power);
  return powers.map((power) => power / sum);
}

/** The error of an encoder whose features are no numbers to go on with. */
export function notFiniteError(): XpeftError {
  return new XpeftError("bundle_unusable", "The encoder gave features that are not finite.", { reason: "features" });
}

/** Index of the greatest score; of equal ones, the first. */
export function bestLabel(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores));
}
