import { XpeftError } from "../errors.ts";

/** What one step of a stored label bias adds to a logit; int8 then covers -8 to 7.9375. */
const STEP = 1 / 16;

/**
 * Returns a profile's label bias as numbers.
 *
 * @param blob one int8 for each label, in the order of the task's labels
 * @param labels the number of the task's labels
 * @returns `[labels]`, to be added to the logits
 * @throws XpeftError `invalid_label_bias` if the length differs from `labels`
 */
export function readLabelBias(blob: Uint8Array, labels: number): Float32Array {
  if (blob.length !== labels) {
    const message = `A label bias has ${blob.length} bytes where the task has ${labels} labels.`;
    throw new XpeftError("invalid_label_bias", message, { reason: "stored" });
  }
  return Float32Array.from(new Int8Array(blob.buffer, blob.byteOffset, blob.length), (steps) => steps * STEP);
}

/**
 * Returns a label bias as it is stored: the nearest steps, clipped to int8.
 *
 * @param bias added to the logits, `[labels]`
 * @returns one int8 for each label; null if all are 0
 */
export function packLabelBias(bias: ArrayLike<number>): Uint8Array | null {
  const steps = Int8Array.from(bias, (value) => Math.max(-128, Math.min(127, Math.round(value / STEP))));
  return steps.some((step) => step !== 0) ? new Uint8Array(steps.buffer) : null;
}
