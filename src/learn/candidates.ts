import { type Fold, type HeldOutResult, heldOutScore, isBetter } from "./cross-validation.ts";
import type { WorkTracker } from "./progress.ts";
import { RECIPE } from "./recipe.ts";
import type { Trainer } from "./trainer.ts";

/** What learning changes of the start: its head (label bias and head change), or its masks and label bias. */
export type Learnt = "head" | "masks";

/** A way to make the profile, with its results on held-out texts. */
export interface Candidate<Kind extends Learnt | "start" = Learnt> {
  readonly kind: Kind;
  readonly results: HeldOutResult[];
}

/** The start unchanged, and what learns. */
export interface Candidates {
  readonly baseline: Candidate<"start">;
  readonly head: Candidate;
  /** Null where masks are not trained. */
  readonly masks: Candidate | null;
}

/** Returns the candidates with their results by cross-validation. @param passes that train masks; 0 for no masks */
export async function evaluateCandidates(
  trainer: Trainer,
  folds: readonly Fold[],
  passes: number,
  work: WorkTracker,
): Promise<Candidates> {
  const baseline: Candidates["baseline"] = { kind: "start", results: [] };
  const head: Candidate = { kind: "head", results: [] };
  const masks: Candidate | null = passes > 0 ? { kind: "masks", results: [] } : null;
  work.report({ phase: "left-out", passes: passes * folds.length });
  for (const [number, { train, heldOut }] of folds.entries()) {
    baseline.results.push(...(await trainer.evaluate(trainer.start, heldOut, work)));
    head.results.push(...(await trainer.evaluate(await trainer.trainHead(train, work), heldOut, work)));
    if (masks) {
      const trained = await trainer.trainMasks(train, { passes, before: number * passes }, work);
      masks.results.push(...(await trainer.evaluate(trained, heldOut, work)));
    }
    work.report({ leftOutAccuracy: heldOutScore((masks ?? head).results).accuracy });
  }
  return { baseline, head, masks };
}

/**
 * Returns the masks where they are trained, because training has found that they help the task; unless the head has a
 * lower held-out loss by more than a standard error, because a few texts show little.
 *
 * The start unchanged is no choice: by a few texts it would be chosen by chance more often than it is better, and the
 * head's prior keeps a head of few texts near it.
 */
export function chooseCandidate({ head, masks }: Candidates): Candidate {
  const lossesOf = ({ results }: Candidate) => results.map(({ loss }) => loss);
  return !masks || isBetter(lossesOf(head), lossesOf(masks), RECIPE.candidateMargin) ? head : masks;
}
