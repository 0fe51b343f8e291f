import type { MaskShape } from "../../src/profiles/masks.ts";
import type { Profile } from "../shared/answers.ts";
import { messageOf } from "../shared/api.ts";
import { fillOptions, makeProblem } from "../shared/dom.ts";
import { makeLegend } from "../shared/mask-cells.ts";
import { type MaskWords, makeMaskTable } from "../shared/mask-table.ts";
import { masksOf, readTaskShape } from "../shared/masks.ts";
import { elements } from "./elements.ts";
import { chosenTask } from "./tasks.ts";

const MEANINGS = {
  kept: "chosen by both",
  added: "by the second only",
  dropped: "by the first only",
  neither: "by neither",
};

const WORDS: MaskWords = {
  cells: (title, added, dropped) => `${title}: ${dropped} chosen by the first only, ${added} by the second only`,
  row: (added, chosen) => `${chosen - added} of ${chosen} shared`,
};

let readableRows: readonly Profile[] = [];
let shapeOfRows: Promise<MaskShape> | undefined;

export const showLegend = (): void => elements.legend.replaceChildren(...makeLegend(MEANINGS));

function offer(select: HTMLSelectElement, chosen: string, place: number): void {
  const ids = readableRows.map(({ profile }) => profile);
  fillOptions(select, ids, ids.includes(chosen) ? chosen : ids[place]);
}

/** Returns the two profiles whose masks are compared now. */
export const comparedProfiles = (): [string, string] => [elements.firstProfile.value, elements.secondProfile.value];

/** Offers rows for comparison, and keeps the two that were `compared` before if they are among them. */
export async function offerRows(rows: readonly Profile[], compared: readonly [string, string]): Promise<void> {
  readableRows = rows;
  elements.overlap.hidden = rows.length < 2;
  if (rows.length < 2) return;
  shapeOfRows = readTaskShape(chosenTask());
  offer(elements.firstProfile, compared[0], 0);
  offer(elements.secondProfile, compared[1], 1);
  await showOverlap();
}

/** Shows the masks of the two chosen profiles, and how many adapters they share. */
export async function showOverlap(): Promise<void> {
  try {
    const shape = await shapeOfRows;
    if (!shape) return;
    const rowOf = (id: string) => readableRows.find(({ profile }) => profile === id)?.masks ?? "";
    const compared = comparedProfiles();
    const without = new Set(compared.filter((id) => rowOf(id) === ""));
    if (without.size > 0) {
      elements.sharedAdapters.textContent = `No masks: ${[...without].join(" and ")}. There is nothing to compare.`;
      return elements.masks.replaceChildren();
    }
    const [first, second] = compared.map((id) => masksOf(rowOf(id), shape));
    const { table, chosen, added } = makeMaskTable(first ?? [], second ?? [], WORDS, shape);
    const byChance = Math.round((chosen * shape.chosen) / shape.size);
    elements.sharedAdapters.textContent = `They share ${chosen - added} of the ${chosen} adapters that each chooses. By chance they would share about ${byChance}.`;
    elements.masks.replaceChildren(table);
  } catch (error) {
    elements.sharedAdapters.replaceChildren(makeProblem(messageOf(error)));
    elements.masks.replaceChildren();
  }
}
