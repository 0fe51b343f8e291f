import type { Encoder } from "../model/encoder.ts";
import { labelLogits } from "../model/head.ts";
import type { MergedAdapters } from "../model/merge.ts";
import { readLabelBias } from "../profiles/label-bias.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import type { Task } from "../profiles/task.ts";
import type { TokenizedText } from "../text/tokenizer.ts";
import type { ScoredText } from "./fit-label-bias.ts";
import type { ResidualText } from "./gradients.ts";
import { estimateReadMs, type WorkTracker } from "./progress.ts";

/** What a profile can start from. */
export interface Start {
  /** Id of a profile; null for the task's default. */
  readonly profile: string | null;
  readonly parts: ProfileParts;
}

/** A text to learn from. */
export interface LabelledText {
  readonly text: TokenizedText;
  /** How likely each label should be, `[labels]`; their sum is 1. */
  readonly target: Float32Array;
}

/** A text as the start's masks leave it for the learnt layers, and its logits under the start. */
export interface PreparedText extends ResidualText, ScoredText, LabelledText {
  readonly target: Float32Array;
}

/** What texts are read with. */
export interface TextReader {
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
export async function scoreTexts(
  { encoder, merged, task }: TextReader,
  { masks, labelBias }: ProfileParts,
  texts: readonly LabelledText[],
  work: WorkTracker,
): Promise<ScoredText[]> {
  const labels = task.labels.length;
  const bias = labelBias && readLabelBias(labelBias, labels);
  const scored: ScoredText[] = [];
  for (const { text, target } of texts) {
    const features = await encoder.run(text, () => merged(masks));
    scored.push({ logits: labelLogits(task.head, bias, features, labels), target });
    await work.afterText(estimateReadMs(text.ids.length));
  }
  return scored;
}

/**
 * Reads texts under a start, as far as the learnt layers.
 *
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function readResiduals(
  { encoder, merged, task }: TextReader,
  { parts: { masks, labelBias } }: Start,
  texts: readonly LabelledText[],
  work: WorkTracker,
): Promise<PreparedText[]> {
  const labels = task.labels.length;
  const bias = labelBias && readLabelBias(labelBias, labels);
  const read: PreparedText[] = [];
  for (const { text, target } of texts) {
    const { features, residual } = await encoder.runToLearn(text, () => merged(masks));
    read.push({ text, residual, logits: labelLogits(task.head, bias, features, labels), target });
    await work.afterText(estimateReadMs(text.ids.length));
  }
  return read;
}
