import { type Fold, type HeldOutResult, heldOutScore, isBetter } from "./cross-validation.ts";
import type { WorkTracker } from "./progress.ts";
import { RECIPE } from "./recipe.ts";
import type { Trainer } from "./trainer.ts";

/** A way to make the profile: what changes of the start. */
export type Way =
  /** Nothing. */
  | { readonly kind: "start" }
  /** A new label bias. */
  | { readonly kind: "label-bias" }
  /** A new label bias and head change. */
  | { readonly kind: "head" /** Of the prior of each weight's change. */; readonly precision: number }
  /** New masks and a new label bias. */
  | { readonly kind: "masks" /** Over the texts. */; readonly passes: number };

/** A way to make the profile, with its results on held-out texts. */
export interface Candidate {
  readonly way: Way;
  readonly results: readonly HeldOutResult[];
}

/** The start unchanged, and what learns. */
export interface Candidates {
  readonly baseline: Candidate;
  /** A new head; then new masks, where masks are trained. */
  readonly learnt: readonly Candidate[];
}

/** Returns the candidates with their results by cross-validation. @param passes that train masks; 0 for no masks */
export async function evaluateCandidates(
  trainer: Trainer,
  folds: readonly Fold[],
  passes: number,
  work: WorkTracker,
): Promise<Candidates> {
  const masks: Way[] = passes > 0 ? [{ kind: "masks", passes }] : [];
  const ways: Way[] = [{ kind: "start" }, { kind: "head" }, ...masks];
  const results = ways.map((): HeldOutResult[] => []);
  work.report({ phase: "left-out", passes: passes * folds.length });
  for (const [number, { train, heldOut }] of folds.entries()) {
    for (const [index, way] of ways.entries()) {
      const parts = await trainer.train(way, train, { before: number * passes }, work);
      const found = await trainer.evaluate(parts, heldOut, work);
      results[index]?.push(...found);
    }
    work.report({ leftOutAccuracy: heldOutScore(results.at(-1) ?? []).accuracy });
  }
  const [baseline, ...learnt] = ways.map((way, index) => ({ way, results: results[index] ?? [] }));
  if (!baseline) throw new RangeError("there are no candidates");
  return { baseline, learnt };
}

/**
 * Returns the favourite, unless another candidate has a lower held-out loss by more than a standard error: a few texts
 * show little. The favourite is new masks where they are trained: training has found that they help the task. Otherwise
 * it is a new head: the start unchanged, or a label bias alone, would be chosen by chance more often than they help.
 */
export function chooseCandidate({ learnt }: Candidates): Candidate {
  const [head, masks] = learnt;
  if (!head) throw new RangeError("there are no candidates");
  const lossesOf = ({ results }: Candidate) => results.map(({ loss }) => loss);
  if (!masks || isBetter(lossesOf(head), lossesOf(masks), RECIPE.candidateMargin)) return head;
  return masks;
}
