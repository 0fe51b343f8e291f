import { softmax } from "../model/head.ts";

/** A text's logits before a label bias, and its target. */
export interface ScoredText {
  readonly logits: ArrayLike<number>;
  /** The target probability of each label, `[labels]`; their sum is 1. */
  readonly target: Float32Array;
}

/** Steps to reach the precision in which biases are stored, a sixteenth. */
const STEPS = 150;

/** Steps to forget one text of several: a hundredth of a nat of it remains on average in the worst case. */
const REFIT_STEPS = 30;

/** Returns the cross entropy of a text to its target under a bias, in nats. */
export function crossEntropy({ logits, target }: ScoredText, bias: ArrayLike<number>): number {
  const scores = softmax(Array.from(logits, (logit, label) => logit + (bias[label] ?? Number.NaN)));
  return -scores.reduce(
    (sum, score, label) => sum + (target[label] ?? 0) * Math.log(Math.max(score, Number.MIN_VALUE)),
    0,
  );
}

/**
 * Returns the label bias that fits texts best under an unchanged head: maximum a posteriori, under a normal prior.
 *
 * @param spread standard deviation of the prior
 * @returns `[labels]`
 */
export const fitLabelBias = (texts: readonly ScoredText[], labels: number, spread: number): Float64Array =>
  fitFrom(new Float64Array(labels), texts, spread, STEPS);

function fitFrom(start: Float64Array, texts: readonly ScoredText[], spread: number, steps: number): Float64Array {
  const [bias, lookahead] = [start.slice(), start.slice()];
  const [gradient, scores] = [new Float64Array(start.length), new Float64Array(start.length)];
  // The inverse of the greatest curvature, half a text for a softmax and the prior's. Nesterov's steps need no line
  // search.
  const rate = 1 / (texts.length / 2 + spread ** -2);
  // Loops in place: maps of typed arrays take longer, and this runs a hundred thousand times.
  for (let step = 1; step <= steps; step++) {
    for (let label = 0; label < bias.length; label++) gradient[label] = (lookahead[label] ?? Number.NaN) / spread ** 2;
    for (const text of texts) addMissed(gradient, text, lookahead, scores);
    const momentum = (step - 1) / (step + 2);
    for (let label = 0; label < bias.length; label++) {
      const next = (lookahead[label] ?? Number.NaN) - rate * (gradient[label] ?? Number.NaN);
      lookahead[label] = next + momentum * (next - (bias[label] ?? Number.NaN));
      bias[label] = next;
    }
  }
  return bias;
}

/**
 * Adds the difference of scores and target to sums. Loops are faster than {@link softmax}, and this runs a million
 * times.
 */
function addMissed(sums: Float64Array, { logits, target }: ScoredText, bias: Float64Array, scores: Float64Array): void {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let label = 0; label < scores.length; label++) {
    scores[label] = (logits[label] ?? Number.NaN) + (bias[label] ?? Number.NaN);
    greatest = Math.max(greatest, scores[label] ?? Number.NaN);
  }
  let sum = 0;
  for (let label = 0; label < scores.length; label++) {
    scores[label] = Math.exp((scores[label] ?? Number.NaN) - greatest);
    sum += scores[label] ?? Number.NaN;
  }
  for (let label = 0; label < scores.length; label++)
    sums[label] = (sums[label] ?? 0) + (scores[label] ?? Number.NaN) / sum - (target[label] ?? 0);
}

/** Returns the cross entropy of each text under the bias that is fitted to the other texts, in nats. */
export function leaveOneOutLosses(texts: readonly ScoredText[], labels: number, spread: number): number[] {
  const bias = fitLabelBias(texts, labels, spread);
  return texts.map((text, index) => {
    const otherTexts = texts.filter((_, other) => other !== index);
    return crossEntropy(text, fitFrom(bias, otherTexts, spread, REFIT_STEPS));
  });
}
