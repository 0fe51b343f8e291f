import type { Prediction, Profile, Timings } from "../shared/answers.ts";
import { messageOf } from "../shared/api.ts";
import { fillTerms, make, makeProblem } from "../shared/dom.ts";
import { makeScoresTable } from "../shared/scores-table.ts";
import { elements } from "./elements.ts";
import type { Outcome } from "./predict.ts";

const PHASES = {
  tokenize: "tokenize",
  masks: "read rows",
  merge: "merge adapters",
  encoder: "encoder",
  head: "head",
  total: "total",
} as const;

/** Counts labels, the most frequent first. */
function countLabels(labels: readonly string[]): [label: string, count: number][] {
  return [...Map.groupBy(labels, (label) => label)]
    .map(([label, all]): [string, number] => [label, all.length])
    .sort(([, a], [, b]) => b - a);
}

/** Returns the label that more profiles give than any other; null if there is none. */
function majorityOf(labels: readonly string[]): string | null {
  const [first, second] = countLabels(labels);
  return first && first[1] > (second?.[1] ?? 0) ? first[0] : null;
}

/** Says whether profiles give the same label. */
function summaryOf(labels: readonly string[]): string {
  const counts = countLabels(labels);
  if (labels.length < 2) return "";
  if (counts.length === 1) return `All ${labels.length} profiles answer ${labels[0]}.`;
  return `They differ: ${counts.map(([label, count]) => `${count} × ${label}`).join(", ")}.`;
}

function makeCard(
  { profile, label, tokens, truncated, top = [] }: Prediction,
  row: Profile | undefined,
  majority: string | null,
): HTMLElement {
  const table = makeScoresTable(`${profile}: ${label}`, top);
  table.classList.toggle("other", majority !== null && label !== majority);
  for (const [place, { score }] of top.entries()) {
    const bar = make("span", { className: "bar", ariaHidden: "true" });
    bar.style.inlineSize = `${Math.max(1, 100 * score)}%`;
    table.rows[place]?.cells[0]?.append(bar);
  }
  const size = row ? `${row.maskBytes + row.labelBiasBytes} bytes, generation ${row.generation}` : "";
  const cut = truncated ? `The text is longer than the task reads: ${tokens} tokens were read.` : "";
  return make("div", {}, table, make("small", {}, size), make("small", {}, cut));
}

/** Shows predictions side by side. Marks those that differ from the majority. */
export function showAnswers(outcomes: readonly Outcome[], rows: readonly Profile[]): void {
  const labels = outcomes.flatMap((outcome) => ("prediction" in outcome ? [outcome.prediction.label] : []));
  const majority = majorityOf(labels);
  const rowOf = new Map(rows.map((row) => [row.profile, row]));
  const cards = outcomes.map((outcome) =>
    "prediction" in outcome
      ? makeCard(outcome.prediction, rowOf.get(outcome.prediction.profile), majority)
      : makeProblem(messageOf(outcome.error)),
  );
  elements.answers.replaceChildren(...cards);
  elements.status.textContent = summaryOf(labels);
}

/** Shows how long each phase took; nothing if that is not known. */
export function showTimings(timings: Timings | null): void {
  elements.timings.hidden = timings === null;
  if (timings === null) return;
  const phases = Object.entries(PHASES) as [keyof Timings, string][];
  fillTerms(
    elements.phases,
    Object.fromEntries(phases.map(([phase, words]) => [words, `${timings[phase].toFixed(0)} ms`])),
  );
}
