import { bestLabel, softmax } from "../head.ts";
import { lossUnder, type Scored } from "./label-bias.ts";
import { RECIPE } from "./recipe.ts";

/** Numbers of the examples that are learnt from, and of those that are left out meanwhile. */
export interface Fold {
  readonly learnt: readonly number[];
  readonly leftOut: readonly number[];
}

/**
 * Cuts examples into folds: a third is left out at a time, as often as it takes to leave out each, or enough of them.
 *
 * @param order numbers of the examples in an order of chance
 */
export function foldsOf(order: readonly number[]): Fold[] {
  const parts = Math.min(RECIPE.folds, order.length);
  const size = Math.ceil(order.length / parts);
  const count = Math.max(1, Math.min(parts, Math.floor(RECIPE.leftOut / size)));
  return Array.from({ length: count }, (_, number) => ({
    learnt: order.filter((_, place) => Math.floor(place / size) !== number),
    leftOut: order.slice(number * size, (number + 1) * size),
  })).filter(({ learnt, leftOut }) => learnt.length > 0 && leftOut.length > 0);
}

/** How a left-out text was answered. */
export interface Trial {
  /** Cross entropy to its target, in nats. */
  readonly loss: number;
  /** Whether the likeliest label is the one that the target has most of. */
  readonly right: boolean;
}

/** How a text is answered under a label bias. */
export function trialOf(text: Scored, bias: ArrayLike<number>): Trial {
  const scores = softmax(Array.from(text.logits, (logit, label) => logit + (bias[label] ?? Number.NaN)));
  return { loss: lossUnder(text, bias), right: bestLabel(scores) === bestLabel([...text.target]) };
}

/** What trials come to together. */
export interface Standing {
  readonly loss: number;
  /** 0 to 1 */
  readonly accuracy: number;
}

export function standingOf(trials: readonly Trial[]): Standing {
  const sum = trials.reduce((total, { loss }) => total + loss, 0);
  return { loss: sum / trials.length, accuracy: trials.filter(({ right }) => right).length / trials.length };
}

/**
 * Whether one way of answering is better than another by more than chance: the mean of what each text's loss falls by is more than two
 * of its standard errors above 0. Of a few texts it seldom is.
 *
 * @param before trials of the same texts, in the same order
 */
export function isTrusted(before: readonly Trial[], after: readonly Trial[]): boolean {
  const falls = before.map(({ loss }, text) => loss - (after[text]?.loss ?? Number.NaN));
  const mean = falls.reduce((sum, fall) => sum + fall, 0) / falls.length;
  const variance = falls.reduce((sum, fall) => sum + (fall - mean) ** 2, 0) / (falls.length - 1);
  return mean > 2 * Math.sqrt(variance / falls.length);
}
