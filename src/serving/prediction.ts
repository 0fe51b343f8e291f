import { XpeftError } from "../errors.ts";
import { bestLabel, labelLogits, softmax } from "../model/head.ts";
import { pickKnown } from "../profiles/known-labels.ts";
import type { ProfileHead } from "../profiles/profile-head.ts";
import type { TaskParts } from "../profiles/task.ts";
import type { TokenizedText } from "../text/tokenizer.ts";

/** The answer for one text. */
export interface Prediction {
  readonly label: string;
  /** Score of the label, 0 to 1. */
  readonly score: number;
  /** The labels that the profile knows, in the task's order. */
  readonly labels: readonly string[];
  /** Score of each of these labels; their sum is 1. */
  readonly scores: readonly number[];
  /** The scores are the softmax of these; label bias and head change included. */
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

/** Returns the prediction of a text's features. @param profileHead what the profile changes of the head; null if nothing */
export function toPrediction(
  task: Pick<TaskParts, "labels" | "head" | "adapter">,
  profileHead: ProfileHead | null,
  features: Float32Array,
  { ids, truncated }: TokenizedText,
): Prediction {
  const known = profileHead?.known ?? null;
  const labels = pickKnown(task.labels, known);
  const logits = pickKnown(labelLogits(task, profileHead, features), known);
  const scores = softmax(logits);
  const best = bestLabel(scores);
  const [label = "", score = 0] = [labels[best], scores[best]];
  return { label, score, labels, scores, logits, tokens: ids.length, truncated };
}
