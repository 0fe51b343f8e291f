import { findLabel } from "../../src/profiles/labels.ts";
import type { LabelledText } from "../api/answers.ts";

/** Returns the lines of a text that are not blank. */
export const linesOf = (text: string): string[] => text.split(/\r\n?|\n/).filter((line) => line.trim() !== "");

/** Formats a share, 0 to 1, as a whole percentage; a dash stands for none. */
export const percent = (share: number | null): string => (share === null ? "–" : `${(share * 100).toFixed(0)}%`);

/** Formats a share or a score, 0 to 1, as a percentage with one decimal. */
export const exactPercent = (share: number): string => `${(share * 100).toFixed(1)}%`;

/** Formats a whole number, as in "3,500". */
export const numberText = (number: number): string => number.toLocaleString("en");

/** Formats a count with its noun, as in "1 text" or "3,500 texts". */
export const countOf = (count: number, noun: string): string => `${numberText(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Says how many bytes profiles have, as in "11 bytes" or "11 to 785 bytes". */
export function rangeOfBytes(bytes: readonly number[]): string {
  if (bytes.length === 0) return "a few bytes";
  const least = bytes.reduce((a, b) => Math.min(a, b));
  const most = bytes.reduce((a, b) => Math.max(a, b));
  return least === most ? countOf(most, "byte") : `${numberText(least)} to ${countOf(most, "byte")}`;
}

/** Splits a line at its last tab into text and label; null if the label is none of the task's. */
export function splitLabel(line: string, labels: readonly string[]): LabelledText | null {
  const tab = line.lastIndexOf("\t");
  const label = labels[findLabel(line.slice(tab + 1), labels)];
  return tab >= 0 && label !== undefined ? { text: line.slice(0, tab), label } : null;
}
