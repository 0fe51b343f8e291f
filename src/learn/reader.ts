import type { Encoder } from "../model/encoder.ts";
import { labelLogits } from "../model/head.ts";
import type { MergedAdapters } from "../model/merge.ts";
import { readLabelBias } from "../profiles/label-bias.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import type { Task } from "../profiles/task.ts";
import type { TokenizedText } from "../text/tokenizer.ts";
import type { Scored } from "./fit-label-bias.ts";
import type { LearnedText } from "./gradients.ts";
import { readMs, type Work } from "./progress.ts";

/** What a profile can start from. */
export interface Start {
  /** Id of a profile; null for the task's default. */
  readonly profile: string | null;
  readonly parts: ProfileParts;
}

/** A text to learn from. */
export interface TargetedText {
  readonly text: TokenizedText;
  /** How likely each label should be, `[labels]`; their sum is 1. */
  readonly target: Float32Array;
}

/** A text as the start's masks leave it for the learnt layers, and its logits under the start. */
export interface StartedText extends LearnedText, Scored, TargetedText {
  readonly target: Float32Array;
}

/** What texts are read with. */
export interface Reader {
  readonly encoder: Encoder;
  /** The pool merged under masks, until the next call. */
  merged(masks: Uint8Array): MergedAdapters;
  readonly task: Pick<Task, "labels" | "head">;
}

/**
 * Answers texts as they would be served.
 *
 * @returns logits with the label bias
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function answerUnder(
  { encoder, merged, task }: Reader,
  { masks, labelBias }: ProfileParts,
  texts: readonly TargetedText[],
  work: Work,
): Promise<Scored[]> {
  const labels = task.labels.length;
  const bias = labelBias && readLabelBias(labelBias, labels);
  const scored: Scored[] = [];
  for (const { text, target } of texts) {
    const features = await encoder.run(text, () => merged(masks));
    scored.push({ logits: labelLogits(task.head, bias, features, labels), target });
    await work.afterText(readMs(text.ids.length));
  }
  return scored;
}

/**
 * Reads texts under a start, as far as the learnt layers.
 *
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function readUnder(
  { encoder, merged, task }: Reader,
  { parts: { masks, labelBias } }: Start,
  texts: readonly TargetedText[],
  work: Work,
): Promise<StartedText[]> {
  const labels = task.labels.length;
  const bias = labelBias && readLabelBias(labelBias, labels);
  const read: StartedText[] = [];
  for (const { text, target } of texts) {
    const { features, residual } = await encoder.runToLearn(text, () => merged(masks));
    read.push({ text, residual, logits: labelLogits(task.head, bias, features, labels), target });
    await work.afterText(readMs(text.ids.length));
  }
  return read;
}
