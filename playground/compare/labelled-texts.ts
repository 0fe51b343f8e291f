import { type LabelledText, linesOf, splitLabel } from "../shared/text.ts";

/** How many texts are ranked at once. */
export const MAX_TEXTS = 100;

/** Reads texts with their labels, one per line. @throws Error that names the first line without one of the labels */
export function readLabelledTexts(entered: string, labels: readonly string[]): LabelledText[] {
  const texts = linesOf(entered).map((line, place) => {
    const labelled = splitLabel(line, labels);
    if (labelled) return labelled;
    throw new Error(`Line ${place + 1} must end in a tab and one of the task's labels: ${labels.join(", ")}.`);
  });
  if (texts.length === 0) throw new Error("Enter at least one text with its label.");
  if (texts.length > MAX_TEXTS) throw new Error(`${texts.length} texts are too many: the limit is ${MAX_TEXTS}.`);
  return texts;
}
