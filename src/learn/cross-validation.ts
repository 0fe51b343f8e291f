import { bestLabel, softmax } from "../model/head.ts";
import { crossEntropy, type ScoredText } from "./fit-label-bias.ts";
import type { Random } from "./random.ts";
import { RECIPE } from "./recipe.ts";

/** Numbers of the examples to train on, and of the held-out ones. */
export interface Fold {
  readonly train: readonly number[];
  readonly heldOut: readonly number[];
}

/**
 * Returns the folds of a cross-validation: each holds out a third of the texts, until all or enough texts have been
 * held out. Of examples with the same text, one is held out, and none is trained on meanwhile.
 *
 * @param groups numbers of examples with the same text, in random order; two groups or more
 */
export function makeFolds(groups: readonly (readonly number[])[]): Fold[] {
  const parts = Math.min(RECIPE.folds, groups.length);
  // The parts have nearly the same size: none is empty.
  const partOf = (position: number) => Math.floor((position * parts) / groups.length);
  let remaining: number = RECIPE.heldOutTexts;
  const folds: Fold[] = [];
  for (let part = 0; part < parts && remaining > 0; part++) {
    const inPart = groups.filter((_, position) => partOf(position) === part);
    const heldOut = inPart.slice(0, remaining).flatMap((group) => group.slice(0, 1));
    folds.push({ train: groups.filter((_, position) => partOf(position) !== part).flat(), heldOut });
    remaining -= heldOut.length;
  }
  return folds;
}

/** How a held-out text was answered. */
export interface HeldOutResult {
  /** Cross entropy to its target, in nats. */
  readonly loss: number;
  /** Whether the likeliest label is the target's likeliest label. */
  readonly right: boolean;
}

/** Returns how a text is answered under a label bias. */
export function heldOutResult(text: ScoredText, bias: ArrayLike<number>): HeldOutResult {
  const scores = softmax(Array.from(text.logits, (logit, label) => logit + (bias[label] ?? Number.NaN)));
  return { loss: crossEntropy(text, bias), right: bestLabel(scores) === bestLabel([...text.target]) };
}

/** The mean of held-out results. */
export interface HeldOutScore {
  readonly loss: number;
  /** 0 to 1 */
  readonly accuracy: number;
}

/** Returns the mean of numbers. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Returns the mean of held-out results. */
export function heldOutScore(results: readonly HeldOutResult[]): HeldOutScore {
  return { loss: mean(results.map(({ loss }) => loss)), accuracy: mean(results.map(({ right }) => Number(right))) };
}

/**
 * Returns whether losses are lower than a baseline's by more than `margin` standard errors of the paired differences.
 *
 * @param losses of texts
 * @param baseline losses of the same texts
 */
export function isBetter(losses: readonly number[], baseline: readonly number[], margin: number): boolean {
  const gains = losses.map((loss, text) => (baseline[text] ?? Number.NaN) - loss);
  const gain = mean(gains);
  const variance = gains.reduce((sum, value) => sum + (value - gain) ** 2, 0) / (gains.length - 1);
  return gain > margin * Math.sqrt(variance / gains.length);
}

/** The level of significance: a chance gain passes once in forty times. */
const SIGNIFICANCE = 1 / 40;

/** Up to this many texts, all combinations of signs are tried; for more texts, as many are drawn. */
const ALL_SIGNS = 11;

/**
 * Returns whether a candidate is better than the baseline by more than chance. It is a permutation test by the greatest
 * statistic (Westfall & Young, 1993): if nothing was learnt, each text's gain could as well be a loss. So the signs of
 * the gains are drawn, and the best candidate's gain under random signs must be smaller in 39 of 40 draws. This allows
 * for the choice among the candidates by the same texts, but not for texts that share training texts. With fewer than
 * six texts, no gain is significant.
 *
 * @param baseline results of the same texts, in the same order
 * @param candidate one of the candidates
 * @param random draws the signs for more than {@link ALL_SIGNS} texts
 */
export function isSignificant(
  baseline: readonly HeldOutResult[],
  candidate: readonly HeldOutResult[],
  candidates: readonly (readonly HeldOutResult[])[],
  random: Random,
): boolean {
  const texts = baseline.length;
  const gainsOf = (results: readonly HeldOutResult[]) =>
    baseline.map(({ loss }, text) => loss - (results[text]?.loss ?? Number.NaN));
  const allGains = candidates.map(gainsOf);
  const bestGain = (signs: readonly number[]) =>
    Math.max(
      ...allGains.map((gains) => gains.reduce((sum, gain, text) => sum + gain * (signs[text] ?? Number.NaN), 0)),
    );
  const signsOf = (draw: number) =>
    baseline.map((_, text) => {
      const isKept = texts <= ALL_SIGNS ? ((draw >> text) & 1) === 0 : random.normal() < 0;
      return isKept ? 1 : -1;
    });
  const draws = 2 ** Math.min(texts, ALL_SIGNS);
  const observed = gainsOf(candidate).reduce((sum, gain) => sum + gain, 0);
  const smaller = Array.from({ length: draws }, (_, draw) => bestGain(signsOf(draw))).filter((gain) => gain < observed);
  return smaller.length / draws >= 1 - SIGNIFICANCE;
}
