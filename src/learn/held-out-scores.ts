import { bestLabel, softmax } from "../model/head.ts";
import type { HeldOutScore } from "./cross-validation.ts";

/** The logits of a text that was held out, with its target. */
export interface HeldOutLogits {
  /** `[labels]` */
  readonly logits: readonly number[];
  /** The target probability of each label, `[labels]`; their sum is 1. */
  readonly target: Float64Array;
  /** How many examples have the text. */
  readonly count: number;
}

/** When an answer should be taken as none. */
export interface Abstention {
  /**
   * The lowest score at which the lower end of a Wilson 80% interval for the accuracy of held-out answers reaches the
   * target; null if no score does. The plain accuracy would be too good: the score is chosen by the same texts.
   */
  readonly below: number | null;
  /** Fraction of the held-out texts with that score or a higher one. */
  readonly answered: number;
  /** Accuracy on these; null if there are none. */
  readonly accuracy: number | null;
}

/** What logits are multiplied by when scores are calibrated: quarters of an octave, up to 4 and down to 1/4. */
const SCALES = Array.from({ length: 17 }, (_, index) => 2 ** ((index - 8) / 4));

const CALIBRATION_BINS = 10;

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, value) => sum + value, 0);

/** Returns the factor on logits, one of {@link SCALES}, with the least mean cross entropy, and that cross entropy. */
export function bestScale(results: readonly HeldOutLogits[]): { scale: number; loss: number } {
  const tried = SCALES.map((scale) => ({ scale, loss: lossOf(results, scale) }));
  return tried.reduce((best, next) => (next.loss < best.loss ? next : best));
}

/** Returns the mean cross entropy of examples under logits times a scale, in nats. */
function lossOf(results: readonly HeldOutLogits[], scale: number): number {
  const losses = results.map(({ logits, target, count }) => {
    const scores = softmax(logits.map((logit) => scale * logit));
    return -count * sumOf(scores.map((score, label) => (target[label] ?? 0) * Math.log(Math.max(score, 1e-300))));
  });
  return sumOf(losses) / sumOf(results.map(({ count }) => count));
}

/** A held-out text's answer: its score, and how many of its examples it is right for. */
interface Answer {
  readonly score: number;
  readonly right: number;
  readonly count: number;
}

/**
 * Returns how held-out texts were answered.
 *
 * @param scale what their logits are multiplied by
 * @param targetAccuracy what answers at or above the proposed score should reach, 0 to 1
 */
export function summarizeHeldOut(
  results: readonly HeldOutLogits[],
  scale: number,
  targetAccuracy: number,
): { score: HeldOutScore; calibrationError: number; abstention: Abstention } {
  const answers = results.map(({ logits, target, count }): Answer => {
    const scores = softmax(logits.map((logit) => scale * logit));
    const best = bestLabel(scores);
    return { score: scores[best] ?? Number.NaN, right: count * (target[best] ?? Number.NaN), count };
  });
  const accuracy = sumOf(answers.map(({ right }) => right)) / sumOf(answers.map(({ count }) => count));
  return {
    score: { loss: lossOf(results, scale), accuracy },
    calibrationError: calibrationErrorOf(answers),
    abstention: proposeAbstention(answers, targetAccuracy),
  };
}

/** Returns the mean distance of score and accuracy over bins of equal width (Naeini & others, 2015). */
function calibrationErrorOf(answers: readonly Answer[]): number {
  const bins = Map.groupBy(answers, ({ score }) =>
    Math.min(CALIBRATION_BINS - 1, Math.floor(CALIBRATION_BINS * score)),
  );
  const errors = [...bins.values()].map((bin) =>
    Math.abs(sumOf(bin.map(({ score, right, count }) => count * score - right))),
  );
  return sumOf(errors) / sumOf(answers.map(({ count }) => count));
}

/** The interval's half width in standard errors: one case of ten is below it. */
const Z = 1.2816;

/** Returns the lower end of the interval for a rate (Wilson, 1927). @param right successes, of `count` */
function leastRate(right: number, count: number): number {
  const rate = right / count;
  const spread = Z * Math.sqrt((rate * (1 - rate)) / count + (Z / (2 * count)) ** 2);
  return (rate + Z ** 2 / (2 * count) - spread) / (1 + Z ** 2 / count);
}

function proposeAbstention(answers: readonly Answer[], targetAccuracy: number): Abstention {
  const total = sumOf(answers.map(({ count }) => count));
  const sorted = answers.toSorted((a, b) => b.score - a.score);
  let proposed: Abstention = { below: null, answered: 0, accuracy: null };
  let [right, count] = [0, 0];
  for (const [index, answer] of sorted.entries()) {
    right += answer.right;
    count += answer.count;
    // A score cannot separate texts of the same score.
    if (answer.score === sorted[index + 1]?.score || leastRate(right, count) < targetAccuracy) continue;
    proposed = { below: answer.score, answered: count / total, accuracy: right / count };
  }
  return proposed;
}
