import { XpeftError } from "../errors.ts";
import { findLabel, labelForm, quoteLabel } from "../profiles/labels.ts";
import { unknownLabelError } from "../profiles/not-found.ts";
import { textKey } from "../text/text-key.ts";
import type { TokenizedText } from "../text/tokenizer.ts";
import { checkCount, type Example } from "./examples.ts";

/** Texts that each label needs, so that one is trained on while another is held out. */
const TEXTS_A_LABEL = 2;

/** A text with the labels that examples give it. */
export interface TaskText {
  readonly text: TokenizedText;
  /** How many examples have the text. */
  readonly count: number;
  /** The part of these examples that has each label, `[labels]`. */
  readonly target: Float64Array;
}

/**
 * Returns the labels of a new task in canonical form, and the index of each example's label.
 *
 * @param given the task's labels in their order; without them, those of the examples in order of first appearance
 * @throws XpeftError `too_few_examples`, `too_many_examples`, `unknown_label` or `one_label`
 */
export function readTaskLabels(
  examples: readonly Example[],
  given: readonly string[] | undefined,
): { labels: string[]; indices: number[] } {
  checkCount(examples);
  const labels = given ? [...given] : [...new Set(examples.map(({ label }) => labelForm(label)))];
  const indices = examples.map(({ label }, number) => {
    const index = findLabel(label, labels);
    if (index < 0) throw unknownLabelError(label, labels).withLocation(`examples[${number}]`);
    return index;
  });
  if (new Set(indices).size < 2) {
    throw new XpeftError("one_label", `All examples have the label ${quoteLabel(labels[indices[0] ?? 0] ?? "")}.`);
  }
  return { labels, indices };
}

/**
 * Returns the different texts of examples, in order of first appearance. A text with two labels has a part of each.
 *
 * @param indices of the examples' labels
 * @throws XpeftError `too_few_examples` if a label has fewer than two different texts
 */
export function groupTaskTexts(
  texts: readonly TokenizedText[],
  indices: readonly number[],
  labels: readonly string[],
): TaskText[] {
  const groups = Map.groupBy(texts.keys(), (number) => textKey(texts[number] as TokenizedText));
  const grouped = [...groups.values()].map((numbers): TaskText => {
    const target = new Float64Array(labels.length);
    for (const number of numbers) {
      const label = indices[number] ?? Number.NaN;
      target[label] = (target[label] ?? Number.NaN) + 1 / numbers.length;
    }
    return { text: texts[numbers[0] ?? 0] as TokenizedText, count: numbers.length, target };
  });
  for (const [label, name] of labels.entries()) {
    const count = grouped.filter(({ target }) => (target[label] ?? 0) > 0).length;
    if (count >= TEXTS_A_LABEL) continue;
    const message = `Label ${quoteLabel(name)} has ${count} different texts; each label needs ${TEXTS_A_LABEL}.`;
    throw new XpeftError("too_few_examples", message, { reason: "label" });
  }
  return grouped;
}
