import type { Prediction } from "./engine.ts";

/** What an answer is to tell beside the label. */
export interface AnswerOptions {
  /** How many of the best labels are wanted with their scores. */
  readonly topK?: number;
  /** Whether every label's score is wanted. */
  readonly scores?: boolean;
  /** Whether every label's logit is wanted. */
  readonly logits?: boolean;
}

/** A label and its softmax score, 0 to 1. */
export interface ScoredLabel {
  readonly label: string;
  readonly score: number;
}

/** The answer for one text. */
export interface AnsweredPrediction extends ScoredLabel {
  readonly profile: string;
  /** Whose masks were used: the profile's own row, the task's default, or those that came in a token. */
  readonly masks: "profile" | "default" | "token";
  /** Generation of the row that the masks came from. */
  readonly generation: number;
  /** The best labels, best first; only where the request asks for them. */
  readonly top?: ScoredLabel[];
  /** Score of every label; only where the request asks for it. */
  readonly scores?: Record<string, number>;
  /** Logit of every label, label bias included; only where the request asks for it. */
  readonly logits?: Record<string, number>;
  /** Tokens that were read, special tokens included. */
  readonly tokens: number;
  /** Whether the text was longer than the task reads. */
  readonly truncated: boolean;
}

/** Labels with their scores, best first; of equal ones, the first label first. */
export function rankLabels(labels: readonly string[], scores: readonly number[]): ScoredLabel[] {
  return labels.map((label, index) => ({ label, score: scores[index] ?? 0 })).sort((a, b) => b.score - a.score);
}

function byLabel(labels: readonly string[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(labels.map((label, index) => [label, values[index] ?? 0]));
}

/** Puts a prediction into the shape of an answer. */
export function formatPrediction(
  labels: readonly string[],
  { profile, masks, generation }: Pick<AnsweredPrediction, "profile" | "masks" | "generation">,
  prediction: Prediction | undefined,
  { topK, scores, logits }: AnswerOptions,
): AnsweredPrediction {
  if (!prediction) throw new RangeError("there are fewer predictions than texts");
  const { label, score, tokens, truncated } = prediction;
  return {
    profile,
    masks,
    generation,
    label,
    score,
    ...(topK !== undefined && { top: rankLabels(labels, prediction.scores).slice(0, topK) }),
    ...(scores && { scores: byLabel(labels, prediction.scores) }),
    ...(logits && { logits: byLabel(labels, prediction.logits) }),
    tokens,
    truncated,
  };
}
