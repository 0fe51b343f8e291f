import type { FanOutMember } from "../shared/answers.ts";
import { make } from "../shared/dom.ts";
import { countOf, exactPercent, numberText } from "../shared/text.ts";
import { elements } from "./elements.ts";

/** Rows that are shown at once: a browser takes seconds to lay out a table of 10,000. */
const ROWS_A_PAGE = 50;

/** Profiles that give the same label, or that fail. */
export interface Group {
  readonly title: string;
  /** In the order of arrival until the group is shown, then the best score first. Equal scores are by id. */
  readonly members: FanOutMember[];
}

let shown: Group | null = null;
let page = 0;

const scoreOf = (member: FanOutMember): number => ("error" in member ? 0 : member.score);

function makeTable({ title, members }: Group, start: number): HTMLTableElement {
  const table = make("table", { className: "ranked" });
  table.createCaption().textContent = `${title}: ${countOf(members.length, "profile")}`;
  const heads = ["Profile", "Score"].map((head) => make("th", { scope: "col" }, head));
  table
    .createTHead()
    .insertRow()
    .append(...heads);
  const body = table.createTBody();
  for (const member of members.slice(start, start + ROWS_A_PAGE)) {
    const row = body.insertRow();
    row.append(make("th", { scope: "row" }, member.profile));
    row.insertCell().textContent = "error" in member ? member.error.detail : exactPercent(member.score);
  }
  return table;
}

/** Shows a page of the group's profiles, the best score first. Another group starts at its first page. */
export function showMembers(group: Group | null): void {
  if (group !== shown) page = 0;
  shown = group;
  elements.members.hidden = group === null;
  if (group === null) return;
  // What arrived since the last time is behind a sorted part: sorting takes little more than reading.
  group.members.sort((a, b) => scoreOf(b) - scoreOf(a));
  const { length } = group.members;
  const start = page * ROWS_A_PAGE;
  const end = Math.min(start + ROWS_A_PAGE, length);
  elements.memberTable.replaceChildren(makeTable(group, start));
  elements.paging.hidden = length <= ROWS_A_PAGE;
  elements.previousMembers.disabled = start === 0;
  elements.nextMembers.disabled = end === length;
  const range = `Rows ${numberText(start + 1)} to ${numberText(end)}`;
  // Screen readers say it again if it is written again.
  if (elements.memberRange.textContent !== range) elements.memberRange.textContent = range;
}

/** Shows the next page of profiles, or the previous one. */
export function turnPage(step: 1 | -1): void {
  page += step;
  showMembers(shown);
}
