import { type HeadShape, readLabelBias } from "../profiles/profile-head.ts";
import type { Start } from "./reader.ts";
import { RECIPE } from "./recipe.ts";

/** Fewer profiles say too little of how far profiles spread. */
const LEAST_PROFILES = 8;
/** Even where profiles are alike, many texts must be able to change a head. */
const LEAST_SPREAD = 0.1;
/** A wider spread says nothing sure: label biases are a part of what profiles differ in. */
const NARROW = 0.5;

/**
 * Returns how far the profiles of a task spread around its head: the root mean square of their label biases if that is
 * narrow, otherwise {@link RECIPE.biasSpread}. Where known profiles hardly differ, a new one is kept nearer to the task's
 * head.
 *
 * @param starts of which those that are profiles with a label bias count
 */
export function spreadOf(starts: readonly Start[], { labels }: HeadShape): number {
  const biases = starts.flatMap(({ profile, parts: { labelBias } }) =>
    // A damaged row says nothing here. Where its profile is used, it is an error.
    profile !== null && labelBias && labelBias.length >= labels ? [readLabelBias(labelBias, labels)] : [],
  );
  const unlike = biases.filter((bias) => bias.some((value) => value !== 0));
  if (unlike.length < LEAST_PROFILES) return RECIPE.biasSpread;
  const squares = unlike.map((bias) => bias.reduce((sum, value) => sum + value * value, 0));
  const rms = Math.sqrt(squares.reduce((sum, value) => sum + value) / (unlike.length * labels));
  return rms < NARROW ? Math.max(LEAST_SPREAD, rms) : RECIPE.biasSpread;
}
