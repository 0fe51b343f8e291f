import { XpeftError } from "../errors.ts";
import { findLabel, labelForm, quoteLabel } from "../profiles/labels.ts";
import { type LabelOwner, unknownLabelError } from "../profiles/not-found.ts";
import { textKey } from "../text/text-key.ts";
import type { TextInput, TokenizedText, Tokenizer } from "../text/tokenizer.ts";

/** A labelled text. */
export interface Example {
  readonly input: TextInput;
  /**
   * One of the task's labels, or a text of the same canonical form. If all labels are whole numbers, also any number
   * between the least and the greatest.
   */
  readonly label: string;
}

/** The most examples of one learning. */
export const MAX_EXAMPLES = 200;

/** Longer texts are truncated to this many tokens: the memory of the backward pass grows with their square. */
export const MAX_TEXT_TOKENS = 128;

/** The most tokens of all examples together: each takes 1.5 kB of memory in the default bundle. */
export const MAX_TOKENS = 4096;

/** A score between two labels, as people write it. */
const SCORE = /^-?[0-9]+(\.[0-9]+)?$/;

/** Returns a label's score; NaN for other text. */
function scoreOf(label: string): number {
  const form = labelForm(label);
  return SCORE.test(form) ? Number(form) : Number.NaN;
}

/**
 * Returns the target probability of each label, `[labels]`: 1 for the example's label; for a number between two labels,
 * linear weights of both.
 *
 * @throws XpeftError `unknown_label`
 */
export function labelTarget(label: string, labels: readonly string[], owner: LabelOwner = "task"): Float32Array {
  const target = new Float32Array(labels.length);
  const index = findLabel(label, labels);
  if (index >= 0) {
    target[index] = 1;
    return target;
  }
  const score = scoreOf(label);
  const values = labels.map(scoreOf);
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const below = order.findLast(({ value }) => value <= score);
  const above = order.find(({ value }) => value >= score);
  if (!values.every(Number.isInteger) || !below || !above) {
    throw unknownLabelError(label, labels, owner);
  }
  const weight = above.value === below.value ? 0 : (score - below.value) / (above.value - below.value);
  target[above.index] = weight;
  target[below.index] = 1 - weight;
  return target;
}

/** Returns an example's target. @throws XpeftError `unknown_label` that names the example as requests do */
function targetOf(label: string, labels: readonly string[], owner: LabelOwner, location: string): Float32Array {
  try {
    return labelTarget(label, labels, owner);
  } catch (error) {
    throw error instanceof XpeftError ? error.withLocation(location) : error;
  }
}

/** Checks the number of examples. @throws XpeftError `too_few_examples` or `too_many_examples` */
export function checkCount({ length }: readonly Example[]): void {
  if (length < 2) {
    throw new XpeftError("too_few_examples", `Learning needs 2 examples or more, not ${length}.`, { reason: "count" });
  }
  if (length > MAX_EXAMPLES) {
    throw new XpeftError("too_many_examples", `There are ${length} examples; the limit is ${MAX_EXAMPLES}.`, {
      reason: "count",
    });
  }
}

/** Returns the texts of examples. @throws XpeftError `empty_text` that names the first one without tokens */
export function encodeExamples(examples: readonly Example[], tokenizer: Tokenizer, maxTokens: number): TokenizedText[] {
  const texts = examples.map(({ input }) => tokenizer.encode(input, maxTokens));
  const blank = texts.findIndex(({ empty }) => empty);
  if (blank < 0) return texts;
  throw new XpeftError("empty_text", `examples[${blank}]: The text has no tokens.`, { reason: "example" });
}

/**
 * Checks the number of examples and their labels.
 *
 * @returns the target of each example
 * @throws XpeftError `too_few_examples`, `too_many_examples`, `unknown_label` or `one_label`
 */
export function checkExamples(
  examples: readonly Example[],
  labels: readonly string[],
  owner: LabelOwner = "task",
): Float32Array[] {
  checkCount(examples);
  const targets = examples.map(({ label }, index) => targetOf(label, labels, owner, `examples[${index}]`));
  if (new Set(targets.map((target) => target.join())).size < 2) {
    throw new XpeftError("one_label", `All examples have the label ${quoteLabel(examples[0]?.label ?? "")}.`);
  }
  return targets;
}

/**
 * Checks the texts of examples.
 *
 * @throws XpeftError `too_few_examples` if all texts are the same, `too_many_examples` if they have too many tokens
 */
export function checkTexts(texts: readonly TokenizedText[]): void {
  if (new Set(texts.map(textKey)).size < 2) {
    throw new XpeftError(
      "too_few_examples",
      `All ${texts.length} examples have the same tokens, up to the ${MAX_TEXT_TOKENS} that learning reads at most.`,
      { reason: "texts" },
    );
  }
  const tokens = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  if (tokens <= MAX_TOKENS) return;
  throw new XpeftError("too_many_examples", `The examples have ${tokens} tokens; the limit is ${MAX_TOKENS}.`, {
    reason: "tokens",
  });
}
