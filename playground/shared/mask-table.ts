import type { MaskShape } from "../../src/profiles/masks.ts";
import { make } from "./dom.ts";
import { type CellKind, makeCells } from "./mask-cells.ts";
import type { Mask } from "./masks.ts";

/** How a page words the rows of its table. */
export interface MaskWords {
  /** The text that stands for a picture, to those who cannot see it. */
  cells(title: string, added: number, dropped: number): string;
  /** The last cell of a row. `chosen` counts the adapters that the row's mask chooses. */
  row(added: number, chosen: number): string;
}

export interface MaskTable {
  readonly table: HTMLTableElement;
  /** Masks that differ from the other ones, and how many adapters each chooses that the other does not. */
  readonly changed: readonly { readonly title: string; readonly added: number }[];
  /** How many adapters all masks together choose. */
  readonly chosen: number;
  /** How many of them the other masks do not choose. */
  readonly added: number;
}

const kindOf = (was: boolean, is: boolean): CellKind => {
  if (is) return was ? "kept" : "added";
  return was ? "dropped" : "neither";
};

const titleOf = (place: number, firstLayer: number): string =>
  `layer ${firstLayer + Math.floor(place / 2) + 1} ${place % 2 === 0 ? "down" : "up"}`;

/**
 * Draws masks in comparison with others, or alone if there are no others.
 *
 * @param firstLayer the layer of the first masks, from 0
 */
export function makeMaskTable(
  before: readonly Mask[] | null,
  after: readonly Mask[],
  words: MaskWords,
  { firstLayer }: Pick<MaskShape, "firstLayer">,
): MaskTable {
  const table = make("table", { className: "masks" });
  const rows = after.map((mask, place) => {
    const other = before?.[place] ?? mask;
    const kinds = mask.map((is, adapter) => kindOf(other[adapter] ?? false, is));
    const count = (kind: CellKind) => kinds.filter((one) => one === kind).length;
    const [added, dropped, chosen, title] = [
      count("added"),
      count("dropped"),
      mask.filter(Boolean).length,
      titleOf(place, firstLayer),
    ];
    const row = table.insertRow();
    row.append(make("th", { scope: "row" }, title));
    row.insertCell().append(makeCells(kinds, words.cells(title, added, dropped)));
    row.insertCell().textContent = before ? words.row(added, chosen) : "";
    return { title, added, dropped, chosen };
  });
  const sum = (count: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + count(row), 0);
  return {
    table,
    changed: rows.filter(({ added, dropped }) => added + dropped > 0),
    chosen: sum(({ chosen }) => chosen),
    added: sum(({ added }) => added),
  };
}
