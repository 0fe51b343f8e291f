import type { Encoder } from "../encoder.ts";
import type { ProfileParts, Task } from "../engine.ts";
import { labelLogits } from "../head.ts";
import { readLabelBias } from "../label-bias.ts";
import type { MergedAdapters } from "../merge.ts";
import type { TokenizedText } from "../tokenizer.ts";
import type { LearnedText } from "./gradients.ts";
import { leftOutLoss, lossUnder, type Scored } from "./label-bias.ts";
import { readMs, type Work } from "./progress.ts";
import { RECIPE } from "./recipe.ts";

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

/** How many texts starts are tried on in each round, and how many of the starts: after each the worse half is out. */
export function roundsOf(starts: number, texts: number): { texts: number; starts: number }[] {
  const rounds = [];
  let [read, left] = [0, starts];
  while (left > 1 && read < texts) {
    const more = Math.min(Math.max(RECIPE.firstRound, read), texts - read);
    rounds.push({ texts: more, starts: left });
    read += more;
    left = Math.ceil(left / 2);
  }
  return rounds;
}

/**
 * The start that explains texts best, by the likelihood of each under its masks, or these and a label bias that the others make likeliest.
 * Few texts tell which starts are no good, and the others are tried on more (successive halving: Jamieson & Talwalkar, 2016).
 *
 * @param starts at least one; of equal ones, the first is taken
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function chooseStart(
  reader: Reader,
  starts: readonly [Start, ...Start[]],
  texts: readonly TargetedText[],
  work: Work,
): Promise<Start> {
  const labels = reader.task.labels.length;
  const none = new Float64Array(labels);
  let left = starts.map((start) => ({ start, scored: [] as Scored[], loss: Number.NaN }));
  let read = 0;
  for (const round of roundsOf(starts.length, texts.length)) {
    left = left.slice(0, round.starts);
    for (const one of left) {
      one.scored.push(...(await answerUnder(reader, one.start.parts, texts.slice(read, read + round.texts), work)));
      const plain = one.scored.reduce((sum, text) => sum + lossUnder(text, none), 0) / one.scored.length;
      one.loss = Math.min(plain, leftOutLoss(one.scored, labels, RECIPE.biasSpread));
    }
    read += round.texts;
    left.sort((a, b) => a.loss - b.loss);
  }
  return left[0]?.start ?? starts[0];
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
