import { softmax } from "../model/head.ts";

/** What a text's logits are before any bias, and how likely each label should be. */
export interface ScoredText {
  readonly logits: ArrayLike<number>;
  /** `[labels]`; their sum is 1. */
  readonly target: Float32Array;
}

/** Enough for steps of a sixteenth, in which biases are stored. */
const STEPS = 150;

/** Enough to forget one text of several: what is left of it is a hundredth of a nat on average, where the others are as sure as can be. */
const STEPS_ON = 30;

/** Cross entropy of a text to its target under a bias, in nats. */
export function crossEntropy({ logits, target }: ScoredText, bias: ArrayLike<number>): number {
  const scores = softmax(Array.from(logits, (logit, label) => logit + (bias[label] ?? Number.NaN)));
  return -scores.reduce(
    (sum, score, label) => sum + (target[label] ?? 0) * Math.log(Math.max(score, Number.MIN_VALUE)),
    0,
  );
}

/**
 * The likeliest label bias beside a head that stays as it is: maximum a posteriori, under a normal prior.
 *
 * @param spread standard deviation of the prior
 * @returns `[labels]`
 */
export const fitLabelBias = (texts: readonly ScoredText[], labels: number, spread: number): Float64Array =>
  fitFrom(new Float64Array(labels), texts, spread, STEPS);

function fitFrom(start: Float64Array, texts: readonly ScoredText[], spread: number, steps: number): Float64Array {
  const bias = start.slice();
  const scores = new Float64Array(start.length);
  let ahead = start.slice();
  // The greatest curvature: half a text for a softmax, and the prior's. Nesterov's steps of its inverse need no search.
  const rate = 1 / (texts.length / 2 + spread ** -2);
  for (let step = 1; step <= steps; step++) {
    const gradient = ahead.map((value) => value / spread ** 2);
    for (const text of texts) addMissed(gradient, text, ahead, scores);
    const next = ahead.map((value, label) => value - rate * (gradient[label] ?? Number.NaN));
    const momentum = (step - 1) / (step + 2);
    ahead = next.map((value, label) => value + momentum * (value - (bias[label] ?? Number.NaN)));
    bias.set(next);
  }
  return bias;
}

/** Adds how far scores are from a text's target. In loops, not by {@link softmax}: it is done a million times for a task of many labels. */
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

/** Cross entropy of each text under the bias that the other texts make likeliest, in nats. */
export function leaveOneOutLosses(texts: readonly ScoredText[], labels: number, spread: number): number[] {
  const whole = fitLabelBias(texts, labels, spread);
  return texts.map((text, left) => {
    const others = texts.filter((_, place) => place !== left);
    return crossEntropy(text, fitFrom(whole, others, spread, STEPS_ON));
  });
}
