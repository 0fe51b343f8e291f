import { XpeftError } from "../errors.ts";
import type { TextInput, TokenizedText } from "../text/tokenizer.ts";

/** A labelled text. */
export interface Example {
  readonly input: TextInput;
  /** One of the task's labels; where all of these are whole numbers, any number from the least to the greatest is one too. */
  readonly label: string;
}

/** Most examples of one learning. */
export const MAX_EXAMPLES = 200;

/** Tokens that are learnt from: longer texts are cut, as what the way back needs grows with their square. */
export const MAX_TEXT_TOKENS = 128;

/** Tokens of all examples together: what is kept of each takes 1.5 kB in the default bundle. */
export const MAX_TOKENS = 4096;

/** Most labels that an error lists. */
const SHOWN_LABELS = 20;

/** A number as people write it; not all that JavaScript takes for one. */
const NUMBER = /^-?[0-9]+(\.[0-9]+)?$/;

/** A label's number; none if it is another text. */
const numberOf = (label: string): number => (NUMBER.test(label.trim()) ? Number(label) : Number.NaN);

/**
 * How likely each label should be, for the label of an example: 1 for its own, or shares of the two that a number lies between.
 *
 * @returns `[labels]`
 * @throws XpeftError `unknown_label`
 */
export function labelTarget(label: string, labels: readonly string[]): Float32Array {
  const target = new Float32Array(labels.length);
  const exact = labels.indexOf(label);
  if (exact >= 0) {
    target[exact] = 1;
    return target;
  }
  const score = numberOf(label);
  const values = labels.map(numberOf);
  const order = values.map((value, place) => ({ value, place })).sort((a, b) => a.value - b.value);
  const below = order.findLast(({ value }) => value <= score);
  const above = order.find(({ value }) => value >= score);
  if (!values.every(Number.isInteger) || !below || !above) {
    const some = labels.slice(0, SHOWN_LABELS).map((known) => JSON.stringify(known));
    const more = labels.length > some.length ? ` and ${labels.length - some.length} more` : "";
    throw new XpeftError(
      "unknown_label",
      `The task has no label ${JSON.stringify(label.slice(0, 100))}. Its labels are ${some.join(", ")}${more}.`,
    );
  }
  const share = above.value === below.value ? 0 : (score - below.value) / (above.value - below.value);
  target[above.place] = share;
  target[below.place] = 1 - share;
  return target;
}

/**
 * Checks that there is enough to learn from, and not too much.
 *
 * @throws XpeftError `too_few_examples`, `too_many_examples`, `unknown_label` or `one_label`
 */
export function checkExamples(examples: readonly Example[], labels: readonly string[]): Float32Array[] {
  if (examples.length < 2) {
    throw new XpeftError("too_few_examples", `Learning needs 2 examples or more, not ${examples.length}.`, {
      reason: "count",
    });
  }
  if (examples.length > MAX_EXAMPLES) {
    throw new XpeftError("too_many_examples", `There are ${examples.length} examples; the limit is ${MAX_EXAMPLES}.`, {
      reason: "count",
    });
  }
  const targets = examples.map(({ label }) => labelTarget(label, labels));
  if (new Set(targets.map((target) => target.join())).size < 2) {
    throw new XpeftError("one_label", `All examples have the label ${JSON.stringify(examples[0]?.label)}.`);
  }
  return targets;
}

/** What a text is told apart from others by: its tokens, which is all that is read of it. */
export const textKey = ({ ids, typeIds }: TokenizedText): string => `${ids.join()} ${typeIds.join()}`;

/** @throws XpeftError `too_few_examples` where all texts are one, `too_many_examples` where they have more tokens than are learnt from */
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
