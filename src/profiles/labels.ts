// The rule for labels (docs/formats.md, "Labels"). The training companion has the same rule in xpeft/labels.py.

/** Longest label, in UTF-16 units. */
export const MAX_LABEL_LENGTH = 256;

/** Most UTF-16 units of a text that a message shows. */
const SHOWN = 100;

// Unicode's white space, and marks without width. They are listed because JavaScript's trim and Python's strip differ.
// The lookbehind keeps the time linear for a text with much white space in it.
const ENDS =
  /^[\p{White_Space}\u200b\u200e\u200f\u2060\ufeff]+|(?<![\p{White_Space}\u200b\u200e\u200f\u2060\ufeff])[\p{White_Space}\u200b\u200e\u200f\u2060\ufeff]+$/gu;

const INVISIBLE = /^\p{Cf}*$/u;

const CONTROL = /[\p{Cc}\p{Cs}\u2028\u2029]/gu;

/** Control characters, and what looks like a space or like nothing. */
const UNCLEAR = /(?! )[\p{Cc}\p{Cs}\u2028\u2029\p{White_Space}\u200b\u200e\u200f\u2060\ufeff]/gu;

/** Sums of larger numbers may be infinite, and so may a mean absolute error. */
const MAX_NUMBER = 1e300;

const NUMBER = /^[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)(e[+-]?[0-9]+)?$/i;

/** Returns a label's canonical form: NFC, without white space at its ends. */
export const labelForm = (label: string): string => label.normalize("NFC").replace(ENDS, "");

/** Returns the index of a label among a task's labels: that of the same label, else that of its canonical form; or -1. */
export function findLabel(label: string, labels: readonly string[]): number {
  const exact = labels.indexOf(label);
  if (exact >= 0) return exact;
  const form = labelForm(label);
  const canonical = labels.indexOf(form);
  return canonical >= 0 ? canonical : labels.findIndex((known) => labelForm(known) === form);
}

/** Returns why the canonical form of a text cannot be a label; null if it can. */
export const labelFault = (text: string): string | null => faultOf(labelForm(text), text);

function faultOf(label: string, text: string): string | null {
  if (INVISIBLE.test(labelForm(label))) return `${quoteLabel(text)} is blank`;
  if (label.search(CONTROL) >= 0) return `${quoteLabel(text)} has a control character, such as a tab or a line end`;
  if (label.length > MAX_LABEL_LENGTH) return `${quoteLabel(text)} is longer than ${MAX_LABEL_LENGTH} characters`;
  return null;
}

/** Returns why texts cannot be the labels of a new task, which are stored as they are; null if they can. */
export function labelSetFault(labels: readonly string[]): string | null {
  const byForm = new Map<string, string>();
  for (const label of labels) {
    const fault = faultOf(label, label);
    if (fault) return fault;
    const form = labelForm(label);
    const other = byForm.get(form);
    if (other === label) return `${quoteLabel(label)} is there twice`;
    if (other !== undefined) {
      return `${quoteLabel(other)} and ${quoteLabel(label)} are one label, with other white space or in another Unicode form`;
    }
    byForm.set(form, label);
  }
  return null;
}

/** Returns a label's number; null if the label is a name, such as "nan", "1_000" or "0x10". */
export function labelNumber(label: string): number | null {
  const form = labelForm(label);
  const number = NUMBER.test(form) ? Number(form) : Number.NaN;
  return Math.abs(number) <= MAX_NUMBER ? number : null;
}

/** Returns whether a label set is numeric: whether all labels are numbers. */
export const isNumeric = (labels: readonly string[]): boolean => labels.every((label) => labelNumber(label) !== null);

/** Returns a label on one line: with its control characters escaped. */
export const escapeControls = (label: string): string => label.replace(CONTROL, escapeCharacter);

/** Returns a label in quotes for a message: with everything escaped that readers cannot see. */
export const quoteLabel = (label: string): string =>
  JSON.stringify(label.slice(0, SHOWN)).replace(UNCLEAR, escapeCharacter);

/** Returns a character of one UTF-16 unit as JSON escapes it, whether or not JSON must. */
function escapeCharacter(character: string): string {
  const escaped = JSON.stringify(character).slice(1, -1);
  return escaped === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : escaped;
}
