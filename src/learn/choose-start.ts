import { XpeftError } from "../errors.ts";
import type { Encoder } from "../model/encoder.ts";
import { labelLogits } from "../model/head.ts";
import type { MergedAdapters } from "../model/merge.ts";
import { readLabelBias } from "../profiles/label-bias.ts";
import type { ProfileParts, Task } from "../serving/engine.ts";
import type { TokenizedText } from "../text/tokenizer.ts";
import { isAhead, mean } from "./cross-validation.ts";
import { leftOutLosses, type Scored } from "./fit-label-bias.ts";
import type { LearnedText } from "./gradients.ts";
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

/**
 * How many texts known profiles are tried on as starts in each round, and how many of them: after each the worse half is out
 * (successive halving: Jamieson & Talwalkar, 2016). The default is tried on all.
 */
export function roundsOf(known: number, texts: number): { texts: number; known: number }[] {
  const rounds = [];
  let [read, left] = [0, known];
  while (left > 0 && read < texts) {
    const more = Math.min(Math.max(RECIPE.firstRound, read), texts - read);
    rounds.push({ texts: more, known: left });
    read += more;
    left = Math.ceil(left / 2);
  }
  return rounds;
}

/** A start on trial. */
interface Tried {
  readonly start: Start;
  readonly answers: Scored[];
  /** Of each text so far, under a label bias that the others make likeliest. */
  losses: number[];
}

/** The error of a start's row, which is not the profile's that is learnt. */
function named({ profile }: Start, error: unknown): unknown {
  const isRows = error instanceof XpeftError && (error.code === "invalid_mask" || error.code === "invalid_label_bias");
  if (!isRows || profile === null) return error;
  return new XpeftError(
    error.code,
    `Profile ${JSON.stringify(profile)} was to be tried as a start. ${error.message}`,
    "Write that profile again, or name the start: the default, or another profile.",
  );
}

/**
 * The first start, unless the best of the others explains the texts better by so much that it is no more likely chance. Of many the best
 * by chance looks good on few texts.
 *
 * @param starts at least one
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function chooseStart(
  reader: Reader,
  starts: readonly [Start, ...Start[]],
  texts: readonly TargetedText[],
  work: Work,
): Promise<Start> {
  const labels = reader.task.labels.length;
  const [first, ...known] = starts;
  const tried = (start: Start): Tried => ({ start, answers: [], losses: [] });
  const standard = tried(first);
  let left = known.map(tried);
  let read = 0;
  for (const round of roundsOf(known.length, texts.length)) {
    left = left.slice(0, round.known);
    for (const one of [standard, ...left]) {
      const next = texts.slice(read, read + round.texts);
      const answers = answerUnder(reader, one.start.parts, next, work);
      one.answers.push(...(await answers.catch((error: unknown) => Promise.reject(named(one.start, error)))));
      one.losses = leftOutLosses(one.answers, labels, RECIPE.biasSpread);
    }
    read += round.texts;
    left.sort((a, b) => mean(a.losses) - mean(b.losses));
  }
  const [best] = left;
  return best && isAhead(best.losses, standard.losses, RECIPE.startLead) ? best.start : first;
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
