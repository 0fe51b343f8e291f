// The rows of the form: a sentence, its label, and a button that removes both.
import { make } from "../shared/dom.ts";
import { type LabelledText, linesOf, splitLabel } from "../shared/text.ts";
import { elements } from "./elements.ts";
import { EXAMPLES } from "./examples.ts";
import { taskLabels } from "./tasks.ts";

const FIRST_ROWS = 10;

interface Row {
  readonly item: HTMLLIElement;
  readonly sentence: HTMLInputElement;
  readonly labels: HTMLSelectElement;
  readonly remove: HTMLButtonElement;
}

let rows: readonly Row[] = [];

const isEmpty = ({ sentence }: Row): boolean => sentence.value.trim() === "";

/** Returns the sentences that the user has entered. A label is empty until the user chooses one. */
export const enteredExamples = (): LabelledText[] =>
  rows.filter((row) => !isEmpty(row)).map(({ sentence, labels }) => ({ text: sentence.value, label: labels.value }));

/** Shows rows in place of all others, and updates what depends on their places and sentences. */
function setRows(next: readonly Row[]): void {
  rows = next;
  const items = rows.map(({ item }) => item);
  // Moving an item, even to its own place, would take the focus from it.
  for (const item of [...elements.rows.children]) if (!items.some((one) => one === item)) item.remove();
  for (const [place, item] of items.entries()) {
    if (elements.rows.children[place] !== item) elements.rows.insertBefore(item, elements.rows.children[place] ?? null);
  }
  update();
}

function update(): void {
  for (const [place, row] of rows.entries()) {
    row.sentence.ariaLabel = `Sentence ${place + 1}`;
    row.labels.ariaLabel = `Label of sentence ${place + 1}`;
    row.remove.ariaLabel = `Remove sentence ${place + 1}`;
    row.labels.required = !isEmpty(row);
  }
  // An example would replace what the user has entered.
  elements.fillExample.hidden = !EXAMPLES[elements.task.value] || !rows.every(isEmpty);
}

const labelOptions = (chosen: string): HTMLOptionElement[] => [
  new Option("label…", ""),
  ...taskLabels().map((label) => new Option(label, label, false, label === chosen)),
];

function makeRow({ text, label }: LabelledText = { text: "", label: "" }): Row {
  const sentence = make("input", { value: text, autocomplete: "off" });
  const labels = make("select", {}, ...labelOptions(label));
  const remove = make("button", { type: "button" }, "Remove");
  const row = {
    item: make("li", {}, make("div", { className: "row" }, sentence, labels, remove)),
    sentence,
    labels,
    remove,
  };
  sentence.addEventListener("input", update);
  sentence.addEventListener("paste", (event) => paste(event, row));
  sentence.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    // Enter would submit the form while half of the sentences are missing.
    event.preventDefault();
    focusNext(row);
  });
  remove.addEventListener("click", () => removeRow(row));
  return row;
}

function focusNext(row: Row): void {
  const next = rows[rows.indexOf(row) + 1] ?? makeRow();
  if (!rows.includes(next)) setRows([...rows, next]);
  next.sentence.focus();
}

function removeRow(row: Row): void {
  const place = rows.indexOf(row);
  const near = rows[place + 1] ?? rows[place - 1];
  setRows(rows.filter((one) => one !== row));
  (near?.sentence ?? elements.addRow).focus();
}

/** Makes rows of pasted lines. A single line without a label is left to the browser. */
function paste(event: ClipboardEvent, row: Row): void {
  const lines = linesOf(event.clipboardData?.getData("text") ?? "");
  const [first, ...more] = lines.map(
    (line) => splitLabel(line, taskLabels()) ?? { text: line.replaceAll("\t", " "), label: "" },
  );
  if (!first || (more.length === 0 && first.label === "")) return;
  event.preventDefault();
  const { sentence, labels } = row;
  sentence.setRangeText(first.text, sentence.selectionStart ?? 0, sentence.selectionEnd ?? 0, "end");
  labels.value = first.label || labels.value;
  const place = rows.indexOf(row) + 1;
  const pasted = more.map(({ text, label }) => makeRow({ text, label: label || labels.value }));
  // Each line replaces the empty row that it would push down.
  const below = rows.slice(place);
  const filled = below.findIndex((one) => !isEmpty(one));
  const replaced = Math.min(pasted.length, filled === -1 ? below.length : filled);
  setRows([...rows.slice(0, place), ...pasted, ...below.slice(replaced)]);
}

/** Shows the empty rows that the page starts with. */
export const showFirstRows = (): void => setRows(Array.from({ length: FIRST_ROWS }, () => makeRow()));

/** Adds an empty row and moves to it. */
export function addRow(): void {
  const row = makeRow();
  setRows([...rows, row]);
  row.sentence.focus();
}

/** Offers the labels of the chosen task in all rows. */
export function fillLabels(): void {
  for (const { labels } of rows) labels.replaceChildren(...labelOptions(labels.value));
  update();
}

/** Fills the form with the example of the chosen task. */
export function fillExample(): void {
  const { texts, rows: examples } = EXAMPLES[elements.task.value] ?? { texts: [], rows: [] };
  setRows(examples.map(([text, label]) => makeRow({ text, label })));
  elements.texts.value = texts.join("\n");
  rows[0]?.sentence.focus();
}
