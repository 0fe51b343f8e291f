import { type Fold, isAhead, standingOf, type Trial, trialOf } from "./cross-validation.ts";
import { fitLabelBias } from "./fit-label-bias.ts";
import type { Work } from "./progress.ts";
import { RECIPE } from "./recipe.ts";
import { type Pupil, runPasses } from "./trainer.ts";

/** A way to make the profile, and how it did on left-out texts. */
export interface Way {
  /** The start as it is; the same with a label bias; or masks of its own with one. */
  readonly kept: "start" | "label-bias" | "masks";
  /** Passes that its masks take; 0 where they are the start's. */
  readonly passes: number;
  readonly trials: Trial[];
}

/** To leave the start as it is, or to give it a label bias, or masks of its own with one. */
export interface Ways {
  readonly start: Way;
  readonly others: readonly [labelBias: Way, masks: Way];
}

/** Tries what there is to do with a profile on texts that are left out in turn. */
export async function tryWays(pupil: Pupil, folds: readonly Fold[], passes: number, work: Work): Promise<Ways> {
  const ways: Ways = {
    start: { kept: "start", passes: 0, trials: [] },
    others: [
      { kept: "label-bias", passes: 0, trials: [] },
      { kept: "masks", passes, trials: [] },
    ],
  };
  const [labelBias, masks] = ways.others;
  const none = new Float64Array(pupil.labels);
  for (const [number, fold] of folds.entries()) {
    const texts = pupil.textsOf(fold.learnt);
    const leftOut = pupil.textsOf(fold.leftOut);
    const bias = pupil.servedBias(fitLabelBias(texts, pupil.labels, RECIPE.biasSpread));
    ways.start.trials.push(...leftOut.map((text) => trialOf(text, none)));
    labelBias.trials.push(...leftOut.map((text) => trialOf(text, bias)));
    const course = pupil.course(texts);
    work.at({ phase: "left-out", passes: passes * folds.length });
    await runPasses(course, texts, { passes, before: number * passes }, work);
    masks.trials.push(...(await pupil.tryOn(course.lesson(), leftOut, work)));
    work.at({ leftOutAccuracy: standingOf(masks.trials).accuracy });
  }
  return ways;
}

/** Masks are kept, unless another way did better by more than chance makes likely: few texts tell little, and masks help more often. */
export function chooseWay({ start, others: [labelBias, masks] }: Ways): Way {
  const lossesOf = ({ trials }: Way) => trials.map(({ loss }) => loss);
  const better = [start, labelBias].filter((way) => isAhead(lossesOf(way), lossesOf(masks), RECIPE.wayLead));
  return better.reduce((best, one) => (standingOf(one.trials).loss < standingOf(best.trials).loss ? one : best), masks);
}
