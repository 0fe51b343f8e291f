import type { Prediction } from "./prediction.ts";

/** What an answer contains beside the label. */
export interface AnswerOptions {
  /** Predictions with a lower score are marked as abstained. */
  readonly abstainBelow?: number;
  /** How many of the best labels, with their scores. */
  readonly topK?: number;
  /** Whether to include every label's score. */
  readonly scores?: boolean;
  /** Whether to include every label's logit. */
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
  /** The source of the masks: the profile's row, the task's default, or the request's token. */
  readonly masks: "profile" | "default" | "token";
  /** Generation of the masks' row. */
  readonly generation: number;
  /** The score is below the requested one; otherwise absent. */
  readonly abstained?: true;
  /** The best labels, best first; only if requested. */
  readonly top?: ScoredLabel[];
  /** Score of every label that the profile knows; only if requested. */
  readonly scores?: Record<string, number>;
  /** Logit of every label that the profile knows, label bias included; only if requested. */
  readonly logits?: Record<string, number>;
  /** Tokens that were read, special tokens included. */
  readonly tokens: number;
  /** Whether the text was longer than the task reads. */
  readonly truncated: boolean;
}

/** Returns labels with their scores, best first; equal scores keep the labels' order. */
export function rankLabels(labels: readonly string[], scores: readonly number[]): ScoredLabel[] {
  return labels.map((label, index) => ({ label, score: scores[index] ?? 0 })).sort((a, b) => b.score - a.score);
}

function byLabel(labels: readonly string[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(labels.map((label, index) => [label, values[index] ?? 0]));
}

/** Returns a prediction in the shape of an answer. */
export function formatPrediction(
  { profile, masks, generation }: Pick<AnsweredPrediction, "profile" | "masks" | "generation">,
  prediction: Prediction | undefined,
  { abstainBelow = 0, topK, scores, logits }: AnswerOptions,
): AnsweredPrediction {
  if (!prediction) throw new RangeError("there are fewer predictions than texts");
  const { label, score, labels, tokens, truncated } = prediction;
  return {
    profile,
    masks,
    generation,
    label,
    score,
    ...(score < abstainBelow && { abstained: true as const }),
    ...(topK !== undefined && { top: rankLabels(labels, prediction.scores).slice(0, topK) }),
    ...(scores && { scores: byLabel(labels, prediction.scores) }),
    ...(logits && { logits: byLabel(labels, prediction.logits) }),
    tokens,
    truncated,
  };
}
