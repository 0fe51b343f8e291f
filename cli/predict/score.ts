/** A text's label as it is and as it was predicted. */
export interface ScoredPrediction {
  /** Place among the texts of the split, from 0. */
  readonly index: number;
  readonly profile: string;
  readonly label: string;
  readonly predicted: string;
}

/** How good a set of predictions is. */
export interface Score {
  readonly n: number;
  /** Share of all texts whose label was found, 0..1. */
  readonly micro: number;
  /** Mean over profiles of that share, 0..1. */
  readonly macro: number;
  /** Mean distance of the label predicted; only where all labels are numbers. */
  readonly mae?: number;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Scores predictions; `labels` are the task's. There must be at least one prediction. */
export function scorePredictions(scored: readonly ScoredPrediction[], labels: readonly string[]): Score {
  const hits = scored.map(({ label, predicted }) => Number(label === predicted));
  const byProfile = Map.groupBy(
    scored.map(({ profile }, index) => ({ profile, hit: hits[index] ?? 0 })),
    ({ profile }) => profile,
  );
  const score = {
    n: scored.length,
    micro: mean(hits),
    macro: mean([...byProfile.values()].map((ones) => mean(ones.map(({ hit }) => hit)))),
  };
  const numeric = labels.every((label) => label.trim() !== "" && Number.isFinite(Number(label)));
  if (!numeric) return score;
  return { ...score, mae: mean(scored.map(({ label, predicted }) => Math.abs(Number(label) - Number(predicted)))) };
}
