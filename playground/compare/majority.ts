import type { Outcome } from "../api/answers.ts";

/** What profiles say together. */
export interface Majority {
  /** The label that more profiles give than any other; null if there is none. */
  readonly label: string | null;
  /** How many profiles give each label, the most frequent first. */
  readonly counts: readonly (readonly [label: string, count: number])[];
  readonly answered: number;
}

const labelOf = (outcome: Outcome): string | null => ("prediction" in outcome ? outcome.prediction.label : null);

/** Counts what profiles say. */
export function majorityOf(outcomes: readonly Outcome[]): Majority {
  const labels = outcomes.map(labelOf).filter((label) => label !== null);
  const counts = [...Map.groupBy(labels, (label) => label)]
    .map(([label, all]) => [label, all.length] as const)
    .sort(([, a], [, b]) => b - a);
  const [first, second] = counts;
  const label = first && first[1] > (second?.[1] ?? 0) ? first[0] : null;
  return { label, counts, answered: labels.length };
}

/** Says whether profiles agree. */
export function majorityText({ label, counts, answered }: Majority): string {
  const [first = ["", 0] as const] = counts;
  if (answered === 0) return "";
  if (answered === 1) return `Label: “${first[0]}”.`;
  if (counts.length === 1) return `All ${answered} say “${first[0]}”.`;
  if (label === null) return `They differ: ${counts.map(([name, count]) => `${count} say “${name}”`).join(", ")}.`;
  const others = answered - first[1];
  return `${others} of these ${answered} ${others === 1 ? "disagrees" : "disagree"} with their most common answer, “${label}”.`;
}

/** Orders outcomes: rare labels first, then labels that more profiles give, and errors last. Ids order equals. */
export function disagreementFirst(outcomes: readonly Outcome[]): Outcome[] {
  const counts = new Map(majorityOf(outcomes).counts);
  const rank = (outcome: Outcome) => counts.get(labelOf(outcome) ?? "") ?? Number.POSITIVE_INFINITY;
  return outcomes.toSorted(
    (a, b) =>
      rank(a) - rank(b) || (labelOf(a) ?? "").localeCompare(labelOf(b) ?? "") || a.profile.localeCompare(b.profile),
  );
}
