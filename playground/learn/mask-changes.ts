import type { MaskShape } from "../../src/profiles/masks.ts";
import { hasCode, KEY_PROBLEMS, messageOf, profilePath, requestJson } from "../shared/api.ts";
import { fillOptions, makeProblem } from "../shared/dom.ts";
import { makeLegend } from "../shared/mask-cells.ts";
import { type MaskWords, makeMaskTable } from "../shared/mask-table.ts";
import { type Mask, masksOf, readShapeOver } from "../shared/masks.ts";
import { elements } from "./elements.ts";
import type { Learning } from "./last-learning.ts";

const MEANINGS = { kept: "chosen", added: "newly chosen", dropped: "no longer chosen", neither: "not chosen" };

const WORDS: MaskWords = {
  cells: (title, added, dropped) => `${title}: ${added} newly chosen, ${dropped} no longer chosen`,
  row: (added) => `${added} changed`,
};

const UNREADABLE = "The key cannot read the earlier masks, so there is nothing to compare with.";

export const showLegend = (): void => elements.legend.replaceChildren(...makeLegend(MEANINGS));

/** Reads the masks that the learnt ones can be compared with. @returns base64 by description */
async function readOthers({ name, before, learnt }: Learning): Promise<Map<string, string>> {
  const { task, profile } = name;
  const { row } = before;
  if (learnt.start === profile && row) return new Map([["the earlier generation, which was the start", row.masks]]);
  const path = learnt.start === null ? `/v1/tasks/${task}` : profilePath(task, learnt.start);
  const start = learnt.start === null ? "the task's default" : `the profile ${learnt.start}`;
  const others = new Map([[`the start, ${start}`, (await requestJson<{ masks: string }>(path)).masks]]);
  return row ? others.set(`the earlier generation, ${row.generation}`, row.masks) : others;
}

function showTable(description: string, before: readonly Mask[], after: readonly Mask[], shape: MaskShape): void {
  const hadMasks = before.length > 0;
  const { table, changed, chosen, added } = makeMaskTable(hadMasks ? before : null, after, WORDS, shape);
  const where = changed.map((mask) => `${mask.title} ${mask.added}`).join(", ");
  elements.changes.textContent = hadMasks
    ? `Compared with ${description}: ${added} of ${chosen} chosen adapters changed${added > 0 ? `: ${where}` : ""}.`
    : `No masks in ${description}. All ${chosen} chosen adapters are new.`;
  elements.masks.replaceChildren(table);
}

function offerOthers(others: ReadonlyMap<string, string>, after: readonly Mask[], shape: MaskShape): void {
  const show = () => {
    const description = elements.otherMasks.value;
    showTable(description, masksOf(others.get(description) ?? "", shape), after, shape);
  };
  fillOptions(elements.otherMasks, [...others.keys()]);
  elements.otherMasks.onchange = show;
  show();
}

/** Shows the learnt masks, and what has changed from the start or from the earlier masks. */
export async function showMaskChanges(learning: Learning): Promise<void> {
  elements.masks.replaceChildren();
  elements.changes.textContent = "";
  try {
    const shape = await readShapeOver(learning.learnt.pool);
    const after = masksOf(learning.learnt.masks, shape);
    if (after.length === 0) {
      elements.otherMasksLabel.hidden = true;
      elements.changes.textContent = "The profile has no masks.";
      return;
    }
    const others = await readOthers(learning).catch((error: unknown) => {
      if (!hasCode(error, KEY_PROBLEMS)) throw error;
      return null;
    });
    elements.otherMasksLabel.hidden = (others?.size ?? 0) < 2;
    if (others) return offerOthers(others, after, shape);
    elements.changes.textContent = UNREADABLE;
    elements.masks.replaceChildren(makeMaskTable(null, after, WORDS, shape).table);
  } catch (error) {
    elements.changes.replaceChildren(makeProblem(messageOf(error)));
  }
}
