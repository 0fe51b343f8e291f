import type { Scored } from "./answers.ts";
import { make } from "./dom.ts";
import { exactPercent } from "./text.ts";

/** How many labels a page requests and shows per prediction. */
export const SHOWN_LABELS = 5;

/** Makes a table of labels and their scores. */
export function makeScoresTable(caption: string, top: readonly Scored[]): HTMLTableElement {
  const table = make("table", { className: "scores" });
  table.createCaption().textContent = caption;
  for (const { label, score } of top) {
    const row = table.insertRow();
    row.append(make("th", { scope: "row" }, label));
    row.insertCell().textContent = exactPercent(score);
  }
  return table;
}
