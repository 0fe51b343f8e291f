import { XpeftError } from "./errors.ts";

/** What one step of a stored label bias adds to a logit: int8 then reaches from -8 to 7.9375. */
const STEP = 1 / 16;

/**
 * Reads a profile's label bias.
 *
 * @param blob one int8 for each label, in the order of the task's labels
 * @param labels how many labels the task has
 * @returns `[labels]`, to be added to the logits
 * @throws XpeftError `invalid_label_bias` if the length is another
 */
export function readLabelBias(blob: Uint8Array, labels: number): Float32Array {
  if (blob.length !== labels) {
    throw new XpeftError(
      "invalid_label_bias",
      `A label bias has ${blob.length} bytes where the task has ${labels} labels.`,
      "The label bias is damaged or of another task: write the row again.",
    );
  }
  return Float32Array.from(new Int8Array(blob.buffer, blob.byteOffset, blob.length), (steps) => steps * STEP);
}
