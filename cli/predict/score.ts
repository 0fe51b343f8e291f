import { isNumeric, labelNumber } from "../../src/profiles/labels.ts";

/** The true and the predicted label of a text. */
export interface LabelledPrediction {
  /** Index of the text in the split, from 0. */
  readonly index: number;
  readonly profile: string;
  readonly label: string;
  readonly predicted: string;
}

/** Measures of a set of predictions. */
export interface Score {
  /** Number of texts. */
  readonly n: number;
  /** Accuracy over all texts, 0 to 1. */
  readonly micro: number;
  /** Mean of the profiles' accuracies, 0 to 1. */
  readonly macro: number;
  /** Mean absolute error. Only if all labels of the task and of the texts are numbers. */
  readonly mae?: number;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Scores predictions.
 *
 * @param predictions at least one
 * @param labels the task's labels
 */
export function scorePredictions(predictions: readonly LabelledPrediction[], labels: readonly string[]): Score {
  const accuracy = (group: readonly LabelledPrediction[]) =>
    mean(group.map(({ label, predicted }) => Number(label === predicted)));
  const byProfile = Map.groupBy(predictions, ({ profile }) => profile);
  const score = {
    n: predictions.length,
    micro: accuracy(predictions),
    macro: mean([...byProfile.values()].map(accuracy)),
  };
  if (!isNumeric([...labels, ...predictions.map(({ label }) => label)])) return score;
  const numberOf = (label: string) => labelNumber(label) ?? Number.NaN;
  return {
    ...score,
    mae: mean(predictions.map(({ label, predicted }) => Math.abs(numberOf(label) - numberOf(predicted)))),
  };
}
