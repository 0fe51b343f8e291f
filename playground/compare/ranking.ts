import { isNumeric, labelNumber } from "../../src/profiles/labels.ts";
import { make } from "../shared/dom.ts";
import { type LabelledText, percent } from "../shared/text.ts";

/** How well a profile agrees with the user. */
export interface Agreement {
  readonly profile: string;
  /** Texts with the user's label. */
  readonly right: number;
  readonly answered: number;
  /** Mean absolute difference of the labels; null where labels are not numbers. */
  readonly meanError: number | null;
}

/** A profile of the ranking: its agreement, or why there is none. */
export type Rank = Agreement | { readonly profile: string; readonly problem: string };

const numberOf = (label: string): number => labelNumber(label) ?? Number.NaN;

/** Compares a profile's labels with the user's. A null label does not count. */
export function agreementOf(
  profile: string,
  texts: readonly LabelledText[],
  given: readonly (string | null)[],
  taskLabels: readonly string[],
): Agreement {
  const pairs = texts.flatMap(({ label }, place) => {
    const other = given[place] ?? null;
    return other === null ? [] : [{ label, other }];
  });
  const errors = pairs.map(({ label, other }) => Math.abs(numberOf(label) - numberOf(other)));
  return {
    profile,
    right: pairs.filter(({ label, other }) => label === other).length,
    answered: pairs.length,
    meanError: isNumeric(taskLabels) ? errors.reduce((sum, error) => sum + error, 0) / errors.length : null,
  };
}

/** Orders ranks, the best first. Profiles with a problem come last. */
export function compareRanks(a: Rank, b: Rank): number {
  if ("problem" in a || "problem" in b) return Number("problem" in a) - Number("problem" in b);
  return b.right - a.right || (a.meanError ?? 0) - (b.meanError ?? 0);
}

/** Makes the table of ranks, in their order. */
export function makeRankTable(ranks: readonly Rank[]): HTMLTableElement {
  const table = make("table", { className: "ranked" });
  table.createCaption().textContent = "Best first";
  const hasErrors = ranks.some((rank) => "meanError" in rank && rank.meanError !== null);
  const heads = ["Profile", "Agreement", ...(hasErrors ? ["Mean absolute error"] : [])];
  table
    .createTHead()
    .insertRow()
    .append(...heads.map((head) => make("th", { scope: "col" }, head)));
  const body = table.createTBody();
  for (const rank of ranks) {
    const row = body.insertRow();
    row.append(make("th", { scope: "row" }, rank.profile));
    const cells =
      "problem" in rank
        ? [rank.problem, ""]
        : [
            `${rank.right} of ${rank.answered} (${percent(rank.right / rank.answered)})`,
            rank.meanError?.toFixed(2) ?? "",
          ];
    for (const cell of cells.slice(0, heads.length - 1)) row.insertCell().textContent = cell;
  }
  return table;
}
