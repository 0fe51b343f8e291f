import { XpeftError } from "../errors.ts";
import type { TextInput, TokenizedText } from "../tokenizer.ts";

/** A labelled text. */
export interface Example {
  readonly input: TextInput;
  /** One of the task's labels; where all of these are whole numbers, a number between two of them is one too. */
  readonly label: string;
}

/** Most examples of one learning. */
export const MAX_EXAMPLES = 200;

/** Tokens that are learnt from: longer texts are cut, as what the way back needs grows with their square. */
export const MAX_TEXT_TOKENS = 128;

/** Tokens of all examples together: what is kept of each takes 1.5 kB in the default bundle. */
export const MAX_TOKENS = 4096;

/**
 * How likely each label should be, for the label of an example: 1 for its own, or shares of the two that a score lies between.
 *
 * @returns `[labels]`
 * @throws XpeftError `unknown_label`
 */
export function targetOf(label: string, labels: readonly string[]): Float32Array {
  const target = new Float32Array(labels.length);
  const exact = labels.indexOf(label);
  if (exact >= 0) {
    target[exact] = 1;
    return target;
  }
  const values = labels.map(Number);
  const score = label.trim() === "" ? Number.NaN : Number(label);
  const above = values.every(Number.isInteger) ? values.indexOf(Math.floor(score)) : -1;
  const next = values.indexOf(Math.floor(score) + 1);
  if (above < 0 || next < 0) {
    const some = labels.slice(0, 20).map((known) => JSON.stringify(known));
    throw new XpeftError(
      "unknown_label",
      `The task has no label ${JSON.stringify(label.slice(0, 100))}.`,
      `Its labels are ${some.join(", ")}${labels.length > some.length ? " and others" : ""}.`,
    );
  }
  target[next] = score - Math.floor(score);
  target[above] = 1 - (target[next] ?? 0);
  return target;
}

/**
 * Checks that there is enough to learn from, and not too much.
 *
 * @throws XpeftError `too_few_examples`, `too_many_examples`, `unknown_label` or `one_label`
 */
export function targetsOf(examples: readonly Example[], labels: readonly string[]): Float32Array[] {
  if (examples.length < 2) {
    throw new XpeftError(
      "too_few_examples",
      `There are ${examples.length} examples to learn from.`,
      "Send two or more, of two or more labels; a profile is worth it from about five on.",
    );
  }
  if (examples.length > MAX_EXAMPLES) {
    throw new XpeftError(
      "too_many_examples",
      `There are ${examples.length} examples, and ${MAX_EXAMPLES} are learnt from at most.`,
      "Send fewer, or train the profile with the training companion: python -m xpeft add",
    );
  }
  const targets = examples.map(({ label }) => targetOf(label, labels));
  if (new Set(examples.map(({ label }) => label)).size < 2) {
    throw new XpeftError(
      "one_label",
      `All examples have the label ${JSON.stringify(examples[0]?.label)}.`,
      "Send examples of two labels or more: there is nothing to tell apart.",
    );
  }
  return targets;
}

/** @throws XpeftError `too_many_examples` where the texts have more tokens than are learnt from */
export function checkTokens(texts: readonly TokenizedText[]): void {
  const tokens = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  if (tokens <= MAX_TOKENS) return;
  throw new XpeftError(
    "too_many_examples",
    `The examples have ${tokens} tokens, and ${MAX_TOKENS} are learnt from at most.`,
    "Send fewer or shorter texts.",
  );
}
