import { XpeftError } from "../errors.ts";
import { isBetter, mean } from "./cross-validation.ts";
import { leaveOneOutLosses, type ScoredText } from "./fit-label-bias.ts";
import type { WorkTracker } from "./progress.ts";
import { type KnownText, type Start, scoreTexts, type TextReader } from "./reader.ts";
import { RECIPE } from "./recipe.ts";
import { halvingRounds } from "./successive-halving.ts";

/** A start with its results so far. */
interface StartTrial {
  readonly start: Start;
  readonly scored: ScoredText[];
  /** Loss of each text so far, under the label bias that is fitted to the other texts. */
  losses: number[];
}

/** Returns the first start, and those of the others that have other masks: a head alone is soon learnt. */
export function distinctStarts([first, ...others]: readonly [Start, ...Start[]]): [Start, ...Start[]] {
  const key = ({ parts }: Start) => parts.masks.join();
  return [first, ...others.filter((start) => key(start) !== key(first))];
}

const newTrial = (start: Start): StartTrial => ({ start, scored: [], losses: [] });

/** Returns an error of a start's row with the name of its profile, which is not the one that is learnt. */
export function namingStart({ profile }: Start, error: unknown): unknown {
  const isOfRow = error instanceof XpeftError && (error.code === "invalid_mask" || error.code === "invalid_label_bias");
  if (!isOfRow || profile === null) return error;
  const message = `Profile ${JSON.stringify(profile)} cannot be tried as a start. ${error.message}`;
  return new XpeftError(error.code, message, { reason: "start" });
}

/**
 * Returns the first start, unless the best of the others explains the texts better by a margin that is unlikely to be
 * chance: of many starts, the best one looks good on few texts by chance.
 *
 * @param starts at least one
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function chooseStart(
  reader: TextReader,
  starts: readonly [Start, ...Start[]],
  texts: readonly KnownText[],
  work: WorkTracker,
): Promise<Start> {
  const labels = reader.task.labels.length;
  const [first, ...known] = starts;
  const baseline = newTrial(first);
  let trials = known.map(newTrial);
  let textsRead = 0;
  for (const round of halvingRounds(known.length, texts.length)) {
    trials = trials.slice(0, round.known);
    const nextTexts = texts.slice(textsRead, textsRead + round.texts);
    for (const trial of [baseline, ...trials]) {
      const scoring = scoreTexts(reader, trial.start.parts, nextTexts, work);
      const scored = await scoring.catch((error: unknown) => Promise.reject(namingStart(trial.start, error)));
      trial.scored.push(...scored);
      trial.losses = leaveOneOutLosses(trial.scored, labels, RECIPE.biasSpread);
    }
    textsRead += round.texts;
    trials.sort((a, b) => mean(a.losses) - mean(b.losses));
  }
  const [best] = trials;
  return best && isBetter(best.losses, baseline.losses, RECIPE.startMargin) ? best.start : first;
}
