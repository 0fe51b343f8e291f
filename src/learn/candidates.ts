import { type Fold, type HeldOutResult, heldOutResult, heldOutScore, isBetter } from "./cross-validation.ts";
import { fitLabelBias } from "./fit-label-bias.ts";
import type { WorkTracker } from "./progress.ts";
import { RECIPE } from "./recipe.ts";
import { runPasses, type Trainer } from "./trainer.ts";

/** A way to make the profile, with its results on held-out texts. */
export interface Candidate {
  /** The start unchanged; the start with a new label bias; or new masks with a label bias. */
  readonly kind: "start" | "label-bias" | "masks";
  /** Passes that train its masks; 0 if they are the start's. */
  readonly passes: number;
  readonly results: HeldOutResult[];
}

/** The start unchanged as the baseline, and the two candidates that learn. */
export interface Candidates {
  readonly baseline: Candidate;
  readonly learnt: readonly [labelBias: Candidate, masks: Candidate];
}

/** Returns the candidates with their results by cross-validation. */
export async function evaluateCandidates(
  trainer: Trainer,
  folds: readonly Fold[],
  passes: number,
  work: WorkTracker,
): Promise<Candidates> {
  const candidates: Candidates = {
    baseline: { kind: "start", passes: 0, results: [] },
    learnt: [
      { kind: "label-bias", passes: 0, results: [] },
      { kind: "masks", passes, results: [] },
    ],
  };
  const [labelBias, masks] = candidates.learnt;
  const noBias = new Float64Array(trainer.labels);
  for (const [number, fold] of folds.entries()) {
    const texts = trainer.textsOf(fold.train);
    const heldOut = trainer.textsOf(fold.heldOut);
    const bias = trainer.servedBias(fitLabelBias(texts, trainer.labels, RECIPE.biasSpread));
    candidates.baseline.results.push(...heldOut.map((text) => heldOutResult(text, noBias)));
    labelBias.results.push(...heldOut.map((text) => heldOutResult(text, bias)));
    const run = trainer.startRun(texts);
    work.report({ phase: "left-out", passes: passes * folds.length });
    await runPasses(run, texts, { passes, before: number * passes }, work);
    masks.results.push(...(await trainer.evaluate(run.trained(), heldOut, work)));
    work.report({ leftOutAccuracy: heldOutScore(masks.results).accuracy });
  }
  return candidates;
}

/**
 * Returns the favourite, unless another candidate has a lower held-out loss by more than a standard error: a few texts
 * show little. The favourite is new masks if the start has masks, because these then cost no further byte and help more
 * often. Otherwise it is a label bias: training has found that the task needs no masks.
 */
export function chooseCandidate(
  { baseline, learnt: [labelBias, masks] }: Candidates,
  startHasMasks: boolean,
): Candidate {
  const favourite = startHasMasks ? masks : labelBias;
  const lossesOf = ({ results }: Candidate) => results.map(({ loss }) => loss);
  const better = [baseline, labelBias, masks].filter((candidate) =>
    isBetter(lossesOf(candidate), lossesOf(favourite), RECIPE.candidateMargin),
  );
  return better.reduce(
    (best, candidate) => (heldOutScore(candidate.results).loss < heldOutScore(best.results).loss ? candidate : best),
    favourite,
  );
}
