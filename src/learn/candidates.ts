import { type Fold, type HeldOutResult, heldOutResult, heldOutScore, isBetter } from "./cross-validation.ts";
import { fitLabelBias } from "./fit-label-bias.ts";
import type { WorkTracker } from "./progress.ts";
import { RECIPE } from "./recipe.ts";
import { runPasses, type Trainer } from "./trainer.ts";

/** A way to make the profile, and how it did on left-out texts. */
export interface Candidate {
  /** The start as it is; the same with a label bias; or masks of its own with one. */
  readonly kept: "start" | "label-bias" | "masks";
  /** Passes that its masks take; 0 where they are the start's. */
  readonly passes: number;
  readonly trials: HeldOutResult[];
}

/** To leave the start as it is, or to give it a label bias, or masks of its own with one. */
export interface Candidates {
  readonly start: Candidate;
  readonly others: readonly [labelBias: Candidate, masks: Candidate];
}

/** Tries what there is to do with a profile on texts that are left out in turn. */
export async function evaluateCandidates(
  pupil: Trainer,
  folds: readonly Fold[],
  passes: number,
  work: WorkTracker,
): Promise<Candidates> {
  const ways: Candidates = {
    start: { kept: "start", passes: 0, trials: [] },
    others: [
      { kept: "label-bias", passes: 0, trials: [] },
      { kept: "masks", passes, trials: [] },
    ],
  };
  const [labelBias, masks] = ways.others;
  const none = new Float64Array(pupil.labels);
  for (const [number, fold] of folds.entries()) {
    const texts = pupil.textsOf(fold.train);
    const leftOut = pupil.textsOf(fold.heldOut);
    const bias = pupil.servedBias(fitLabelBias(texts, pupil.labels, RECIPE.biasSpread));
    ways.start.trials.push(...leftOut.map((text) => heldOutResult(text, none)));
    labelBias.trials.push(...leftOut.map((text) => heldOutResult(text, bias)));
    const course = pupil.startRun(texts);
    work.at({ phase: "left-out", passes: passes * folds.length });
    await runPasses(course, texts, { passes, before: number * passes }, work);
    masks.trials.push(...(await pupil.evaluate(course.trained(), leftOut, work)));
    work.at({ leftOutAccuracy: heldOutScore(masks.trials).accuracy });
  }
  return ways;
}

/** Masks are kept, unless another way did better by more than chance makes likely: few texts tell little, and masks help more often. */
export function chooseCandidate({ start, others: [labelBias, masks] }: Candidates): Candidate {
  const lossesOf = ({ trials }: Candidate) => trials.map(({ loss }) => loss);
  const better = [start, labelBias].filter((way) => isBetter(lossesOf(way), lossesOf(masks), RECIPE.wayLead));
  return better.reduce(
    (best, one) => (heldOutScore(one.trials).loss < heldOutScore(best.trials).loss ? one : best),
    masks,
  );
}
