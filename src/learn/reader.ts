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

/** What learning can start from. */
export interface Start {
  /** Id of a profile; null for the task's default. */
  readonly profile: string | null;
  readonly parts: ProfileParts;
}

/** A start with the masks that training begins with. */
export interface TrainingStart extends Start {
  /** The start's own masks, unless it has none. */
  readonly initialMasks: Uint8Array;
}

/** A text with its label. */
export interface LabelledText {
  readonly text: TokenizedText;
  /** The target probability of each label, `[labels]`; their sum is 1. */
  readonly target: Float32Array;
}

/** A text with the input of the learnt layers under the initial masks, and its logits under the start. */
export interface PreparedText extends ResidualText, ScoredText, LabelledText {
  readonly target: Float32Array;
}

/** What reads texts. */
export interface TextReader {
  readonly encoder: Encoder;
  /** Returns the pool merged under masks, with the task's adapter, valid until the next call. */
  merge(masks: Uint8Array): MergedAdapters;
  readonly task: Pick<Task, "labels" | "head" | "adapter">;
}

/**
 * Returns the logits of texts, label bias included, as they would be served.
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function scoreTexts(
  { encoder, merge, task }: TextReader,
  { masks, labelBias }: ProfileParts,
  texts: readonly LabelledText[],
  work: WorkTracker,
): Promise<ScoredText[]> {
  const labels = task.labels.length;
  const bias = labelBias && readLabelBias(labelBias, labels);
  const scored: ScoredText[] = [];
  for (const { text, target } of texts) {
    const features = await encoder.run(text, () => merge(masks));
    scored.push({ logits: labelLogits(task, bias, features), target });
    await work.afterText(estimateReadMs(text.ids.length));
  }
  return scored;
}

/**
 * Returns texts with their residuals before the learnt layers, under the initial masks, and their logits under the
 * start.
 *
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function readResiduals(
  { encoder, merge, task }: TextReader,
  { parts: { masks, labelBias }, initialMasks }: TrainingStart,
  texts: readonly LabelledText[],
  work: WorkTracker,
): Promise<PreparedText[]> {
  const labels = task.labels.length;
  const bias = labelBias && readLabelBias(labelBias, labels);
  const prepared: PreparedText[] = [];
  for (const { text, target } of texts) {
    const { features: initial, residual } = await encoder.runToLearn(text, () => merge(initialMasks));
    const features = initialMasks === masks ? initial : await encoder.run(text, () => merge(masks));
    prepared.push({ text, residual, logits: labelLogits(task, bias, features), target });
    await work.afterText(estimateReadMs(text.ids.length));
  }
  return prepared;
}
