import { XpeftError } from "../errors.ts";
import { bestLabel, labelLogits, softmax } from "../model/head.ts";
import type { TaskParts } from "../profiles/task.ts";
import type { TokenizedText } from "../text/tokenizer.ts";

/** The answer for one text. */
export interface Prediction {
  readonly label: string;
  /** Score of the label, 0 to 1. */
  readonly score: number;
  /** Scores of all labels in the task's order; their sum is 1. */
  readonly scores: readonly number[];
  /** The scores are the softmax of these; label bias included, in the task's order. */
  readonly logits: readonly number[];
  /** Tokens that were read, special tokens included. */
  readonly tokens: number;
  readonly truncated: boolean;
}

/**
 * Returns a text that can be labelled.
 *
 * @param limit the most tokens of the text; null if it may be truncated
 * @throws XpeftError `empty_text` or `text_too_long`
 */
export function checkText(text: TokenizedText, name: string, limit: number | null): TokenizedText {
  if (text.empty) throw new XpeftError("empty_text", `${name} has no tokens.`, { reason: "text" });
  if (limit !== null && text.truncated) {
    throw new XpeftError("text_too_long", `${name} has more than the ${limit} tokens that the task reads.`);
  }
  return text;
}

/** Returns the prediction of a text's features. @param bias the profile's label bias; null if it has none */
export function toPrediction(
  task: Pick<TaskParts, "labels" | "head" | "adapter">,
  bias: Float32Array | null,
  features: Float32Array,
  { ids, truncated }: TokenizedText,
): Prediction {
  const logits = labelLogits(task, bias, features);
  const scores = softmax(logits);
  const best = bestLabel(scores);
  return { label: task.labels[best] ?? "", score: scores[best] ?? 0, scores, logits, tokens: ids.length, truncated };
}
