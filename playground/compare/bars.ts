import type { FanOutMember } from "../shared/answers.ts";
import { make } from "../shared/dom.ts";
import { exactPercent, numberText } from "../shared/text.ts";
import { elements } from "./elements.ts";
import { type Group, showMembers } from "./members.ts";

/** A label's line of the histogram. */
interface Bar {
  readonly group: Group;
  readonly line: HTMLLabelElement;
  readonly choice: HTMLInputElement;
  /** Shows the group's count. @param most the count of the largest group @param total all profiles with a label */
  show(most: number, total: number): void;
}

/** A histogram of labels. */
export interface Bars {
  /** Adds a profile. It is shown with the next call of `show`. */
  add(member: FanOutMember): void;
  /** Shows all counts, the largest first, and the profiles of the chosen bar. */
  show(): void;
}

/** Makes a line that can be chosen with the arrow keys, since it is a radio button. */
function makeBar(title: string): Bar {
  const group: Group = { title, members: [] };
  const choice = make("input", { type: "radio", name: "audience-label", value: title });
  const count = make("small");
  const bar = make("span", { className: "bar", ariaHidden: "true" });
  choice.addEventListener("change", () => showMembers(group));
  return {
    group,
    choice,
    line: make("label", {}, choice, make("span", {}, title), count, bar),
    show(most, total) {
      const { length } = group.members;
      count.textContent = `${numberText(length)} (${exactPercent(length / Math.max(1, total))})`;
      bar.style.inlineSize = `${(100 * length) / Math.max(1, most)}%`;
    },
  };
}

/** Shows an empty histogram of the labels in place of the last one. The label that was chosen stays. */
export function createBars(taskLabels: readonly string[]): Bars {
  const byLabel = new Map(taskLabels.map((label) => [label, makeBar(label)]));
  const failed = makeBar("No label: an error");
  const sizeOf = ({ group }: Bar) => group.members.length;
  const chosen = elements.bars.querySelector<HTMLInputElement>(":checked")?.value;
  for (const { choice } of byLabel.values()) choice.checked = choice.value === chosen;
  elements.bars.replaceChildren();
  showMembers(null);

  /** Shows the lines in this order. Moves as few as it can: laying out 150 again takes 50 ms. */
  function arrange(bars: readonly Bar[]): void {
    const focused = bars.find(({ choice }) => choice === document.activeElement);
    for (const [place, { line }] of bars.entries()) {
      const current = elements.bars.children[place] ?? null;
      if (current !== line) elements.bars.insertBefore(line, current);
    }
    // A line that is moved loses the focus.
    focused?.choice.focus({ preventScroll: true });
  }

  function barOf(member: FanOutMember): Bar {
    if ("error" in member) return failed;
    const known = byLabel.get(member.label);
    if (known) return known;
    // The task was written since the page read its labels.
    const bar = makeBar(member.label);
    byLabel.set(member.label, bar);
    return bar;
  }

  return {
    add: (member) => void barOf(member).group.members.push(member),
    show() {
      const labels = [...byLabel.values()].sort((a, b) => sizeOf(b) - sizeOf(a));
      const total = labels.reduce((sum, bar) => sum + sizeOf(bar), 0);
      const bars = sizeOf(failed) > 0 ? [...labels, failed] : labels;
      const most = Math.max(...bars.map(sizeOf));
      for (const bar of bars) bar.show(most, total);
      arrange(bars);
      const shown = bars.find(({ choice }) => choice.checked);
      if (shown) showMembers(shown.group);
    },
  };
}
