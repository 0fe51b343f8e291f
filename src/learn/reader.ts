import type { IdentifiedAdapter } from "../model/adapter-reader.ts";
import { labelLogits } from "../model/head.ts";
import type { Reader } from "../model/reader.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { headShapeOf, readProfileHead } from "../profiles/profile-head.ts";
import type { Task } from "../profiles/task.ts";
import type { TokenizedText } from "../text/tokenizer.ts";
import type { ScoredText } from "./fit-label-bias.ts";
import type { ResidualText } from "./gradients.ts";
import { estimateReadMs, TAIL_MS, type WorkTracker } from "./progress.ts";

const NO_MASKS = new Uint8Array();

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

/** A text with its residual, `[T, d]` flat; null if it differs from profile to profile. */
export interface KnownText extends LabelledText {
  readonly residual: Float32Array | null;
}

/** A text with the input of the learnt layers under the initial masks, and its features and logits under the start. */
export interface PreparedText extends ResidualText, ScoredText, KnownText {
  /** `[d]` */
  readonly features: Float32Array;
  readonly residual: Float32Array;
  readonly target: Float32Array;
}

/** What reads texts. */
export interface TextReader {
  readonly reader: Reader;
  readonly task: Pick<Task, "labels" | "head" | "adapter">;
  /** Of all profiles of the task; null if it has none. */
  readonly taskAdapter: IdentifiedAdapter | null;
}

/** Returns the estimated milliseconds of a text that is read under one more profile. */
export const readAgainMs = ({ sharesTrunk }: Pick<Reader, "sharesTrunk">, tokens: number): number =>
  sharesTrunk ? TAIL_MS : estimateReadMs(tokens);

/**
 * Returns texts with what all profiles of the task share of them.
 *
 * @throws XpeftError `invalid_row` or `bundle_unusable`
 */
export async function readTexts(
  { reader, taskAdapter }: TextReader,
  texts: readonly LabelledText[],
  work: WorkTracker,
): Promise<KnownText[]> {
  if (!reader.sharesTrunk) return texts.map((labelled) => ({ ...labelled, residual: null }));
  const known: KnownText[] = [];
  for (const labelled of texts) {
    const { residual } = await reader.readToLearn(labelled.text, { masks: NO_MASKS, taskAdapter });
    known.push({ ...labelled, residual });
    await work.afterText(estimateReadMs(labelled.text.ids.length));
  }
  return known;
}

/** Returns a text's features under masks. */
function featuresOf({ reader, taskAdapter }: TextReader, { text, residual }: KnownText, masks: Uint8Array) {
  const under = { masks, taskAdapter };
  return residual ? reader.featuresFrom(residual, text, under) : reader.features(text, under);
}

/**
 * Returns the logits of texts, label bias and head change included, as they would be served.
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function scoreTexts(
  parts: TextReader,
  { masks, labelBias }: ProfileParts,
  texts: readonly KnownText[],
  work: WorkTracker,
): Promise<ScoredText[]> {
  const profileHead = labelBias && readProfileHead(labelBias, headShapeOf(parts.task));
  const scored: ScoredText[] = [];
  for (const known of texts) {
    const features = await featuresOf(parts, known, masks);
    scored.push({ logits: labelLogits(parts.task, profileHead, features), target: known.target });
    await work.afterText(readAgainMs(parts.reader, known.text.ids.length));
  }
  return scored;
}

/**
 * Returns texts with their residuals before the learnt layers, under the initial masks, and their features and logits
 * under the start.
 *
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function readResiduals(
  parts: TextReader,
  { parts: { masks, labelBias }, initialMasks }: TrainingStart,
  texts: readonly KnownText[],
  work: WorkTracker,
): Promise<PreparedText[]> {
  const { reader, task, taskAdapter } = parts;
  const profileHead = labelBias && readProfileHead(labelBias, headShapeOf(task));
  const prepared: PreparedText[] = [];
  for (const known of texts) {
    const { residual, features: initial } = known.residual
      ? { residual: known.residual, features: null }
      : await reader.readToLearn(known.text, { masks: initialMasks, taskAdapter });
    const features =
      initial && initialMasks === masks ? initial : await featuresOf(parts, { ...known, residual }, masks);
    prepared.push({ ...known, residual, features, logits: labelLogits(task, profileHead, features) });
    await work.afterText(readAgainMs(reader, known.text.ids.length));
  }
  return prepared;
}
