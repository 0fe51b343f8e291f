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
export interface StartedText extends LearnedText, Scored {
  readonly tokens: number;
}

/** What texts are read with. */
export interface Reader {
  readonly encoder: Encoder;
  /** The pool merged under masks, until the next call. */
  merged(masks: Uint8Array): MergedAdapters;
  readonly task: Pick<Task, "labels" | "head">;
}

/** Logits under a start are those of its masks and of its label bias. */
const biasOf = ({ parts }: Start, labels: number) => parts.labelBias && readLabelBias(parts.labelBias, labels);

/**
 * The start that explains texts best, by the likelihood of each under its masks and a label bias that the others make likeliest.
 *
 * @param starts at least one; of equal ones, the first is taken
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function chooseStart(
  { encoder, merged, task }: Reader,
  starts: readonly [Start, ...Start[]],
  texts: readonly TargetedText[],
  work: Work,
): Promise<Start> {
  const [first, ...others] = starts;
  if (others.length === 0) return first;
  const labels = task.labels.length;
  let best = { start: first, loss: Number.POSITIVE_INFINITY };
  for (const start of starts) {
    const scored: Scored[] = [];
    for (const { text, target } of texts) {
      const features = await encoder.run(text, () => merged(start.parts.masks));
      scored.push({ logits: labelLogits(task.head, biasOf(start, labels), features, labels), target });
      await work.afterText(readMs(text.ids.length));
    }
    const none = new Float64Array(labels);
    const plain = scored.reduce((sum, one) => sum + lossUnder(one, none), 0) / scored.length;
    const loss = Math.min(plain, leftOutLoss(scored, labels, RECIPE.biasSpread));
    if (loss < best.loss) best = { start, loss };
  }
  return best.start;
}

/**
 * Reads texts under a start, as far as the learnt layers.
 *
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function readUnder(
  { encoder, merged, task }: Reader,
  start: Start,
  texts: readonly TargetedText[],
  work: Work,
): Promise<StartedText[]> {
  const labels = task.labels.length;
  const read: StartedText[] = [];
  for (const { text, target } of texts) {
    const { features, residual } = await encoder.runToLearn(text, () => merged(start.parts.masks));
    const logits = labelLogits(task.head, biasOf(start, labels), features, labels);
    read.push({ residual, logits, target, tokens: text.ids.length });
    await work.afterText(readMs(text.ids.length));
  }
  return read;
}
