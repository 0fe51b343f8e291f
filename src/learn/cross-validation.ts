import { bestLabel, softmax } from "../model/head.ts";
import { crossEntropy, type ScoredText } from "./fit-label-bias.ts";
import type { Random } from "./random.ts";
import { RECIPE } from "./recipe.ts";

/** Numbers of the examples that are learnt from, and of those that are left out meanwhile. */
export interface Fold {
  readonly train: readonly number[];
  readonly heldOut: readonly number[];
}

/**
 * Cuts examples into folds: a third of the texts is left out at a time, as often as it takes to leave out each, or enough of them. Of
 * examples that have the same text one is left out, and none is learnt from meanwhile.
 *
 * @param groups numbers of examples with the same text, in an order of chance; two groups or more
 */
export function makeFolds(groups: readonly (readonly number[])[]): Fold[] {
  const parts = Math.min(RECIPE.folds, groups.length);
  // Parts of nearly one size: none is empty.
  const partOf = (place: number) => Math.floor((place * parts) / groups.length);
  let left: number = RECIPE.leftOut;
  const folds: Fold[] = [];
  for (let part = 0; part < parts && left > 0; part++) {
    const inPart = groups.filter((_, place) => partOf(place) === part);
    const heldOut = inPart.slice(0, left).flatMap((group) => group.slice(0, 1));
    folds.push({ train: groups.filter((_, place) => partOf(place) !== part).flat(), heldOut });
    left -= heldOut.length;
  }
  return folds;
}

/** How a left-out text was answered. */
export interface HeldOutResult {
  /** Cross entropy to its target, in nats. */
  readonly loss: number;
  /** Whether the likeliest label is the one that the target has most of. */
  readonly right: boolean;
}

/** How a text is answered under a label bias. */
export function heldOutResult(text: ScoredText, bias: ArrayLike<number>): HeldOutResult {
  const scores = softmax(Array.from(text.logits, (logit, label) => logit + (bias[label] ?? Number.NaN)));
  return { loss: crossEntropy(text, bias), right: bestLabel(scores) === bestLabel([...text.target]) };
}

/** What trials come to together. */
export interface HeldOutScore {
  readonly loss: number;
  /** 0 to 1 */
  readonly accuracy: number;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export function heldOutScore(trials: readonly HeldOutResult[]): HeldOutScore {
  return { loss: mean(trials.map(({ loss }) => loss)), accuracy: mean(trials.map(({ right }) => Number(right))) };
}

/**
 * Whether one way of answering did better than another, by more than some standard errors of what each text's loss differs by.
 *
 * @param losses of texts, and the other's of the same texts
 */
export function isBetter(losses: readonly number[], others: readonly number[], errors: number): boolean {
  const leads = losses.map((loss, text) => (others[text] ?? Number.NaN) - loss);
  const lead = mean(leads);
  const variance = leads.reduce((sum, own) => sum + (own - lead) ** 2, 0) / (leads.length - 1);
  return lead > errors * Math.sqrt(variance / leads.length);
}

/** How seldom a gain may be chance, to be trusted: 1 in 40. */
const CHANCE = 1 / 40;

/** So many texts' signs have few enough combinations to go through all; of more texts, as many are drawn. */
const ALL_SIGNS = 11;

/**
 * Whether a way of answering is better than the one before by more than chance. What each text's loss falls by is as likely to be a
 * rise if there is nothing in it: so it is not trusted if, with signs of chance, the best of the ways looks as good as it does more
 * often than once in forty times (a permutation test by the greatest statistic: Westfall & Young, 1993). The ways were chosen
 * among by the same texts, and this allows for it; that texts share what they were learnt from, it does not. Of less than six texts no
 * gain can be trusted.
 *
 * @param before trials of the same texts, in the same order
 * @param way one of the ways
 */
export function isSignificant(
  before: readonly HeldOutResult[],
  way: readonly HeldOutResult[],
  ways: readonly (readonly HeldOutResult[])[],
  random: Random,
): boolean {
  const texts = before.length;
  const fallsOf = (trials: readonly HeldOutResult[]) =>
    before.map(({ loss }, text) => loss - (trials[text]?.loss ?? Number.NaN));
  const falls = ways.map(fallsOf);
  const bestFall = (signs: readonly number[]) =>
    Math.max(...falls.map((own) => own.reduce((sum, fall, text) => sum + fall * (signs[text] ?? Number.NaN), 0)));
  const signsOf = (draw: number) =>
    before.map((_, text) => {
      const stays = texts <= ALL_SIGNS ? ((draw >> text) & 1) === 0 : random.normal() < 0;
      return stays ? 1 : -1;
    });
  const draws = 2 ** Math.min(texts, ALL_SIGNS);
  const found = fallsOf(way).reduce((sum, fall) => sum + fall, 0);
  const worse = Array.from({ length: draws }, (_, draw) => bestFall(signsOf(draw))).filter((fall) => fall < found);
  return worse.length / draws >= 1 - CHANCE;
}
