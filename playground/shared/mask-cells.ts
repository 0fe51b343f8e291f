import { make, makeSvg } from "./dom.ts";

/** What a cell says of an adapter, compared with the other masks: chosen by both, by one alone, or by neither. */
export type CellKind = keyof typeof SHAPES;

// Kinds differ in shape as well as in colour, for those who cannot tell the colours apart.
const SHAPES = {
  kept: "M2 2h8v8h-8z",
  neither: "M5 5h2v2h-2z",
  added: "M6 1L11 11H1z",
  dropped: "M2 2L10 10M10 2L2 10",
};
const KINDS = Object.keys(SHAPES) as CellKind[];
const CELL = 12;
const CELLS_A_LINE = 50;

const makeCell = (kind: CellKind, x: number, y: number) =>
  makeSvg("path", { class: kind, d: SHAPES[kind], transform: `translate(${x} ${y})` });

/** Makes a picture of one mask: a cell per adapter of the pool. */
export function makeCells(kinds: readonly CellKind[], label: string): SVGElement {
  const lines = Math.ceil(kinds.length / CELLS_A_LINE);
  const box = `0 0 ${CELL * Math.min(kinds.length, CELLS_A_LINE)} ${CELL * lines}`;
  const cells = kinds.map((kind, adapter) =>
    makeCell(kind, CELL * (adapter % CELLS_A_LINE), CELL * Math.floor(adapter / CELLS_A_LINE)),
  );
  return makeSvg("svg", { class: "cells", viewBox: box, role: "img", "aria-label": label }, ...cells);
}

/** Makes the items of a legend, which say what each kind of cell means on the page. */
export function makeLegend(meanings: Record<CellKind, string>): HTMLLIElement[] {
  return KINDS.map((kind) => {
    const sign = makeSvg("svg", { viewBox: `0 0 ${CELL} ${CELL}`, "aria-hidden": "true" }, makeCell(kind, 0, 0));
    return make("li", {}, sign, ` ${meanings[kind]}`);
  });
}
