import { readLabelBias } from "../../src/profiles/profile-head.ts";

const MAX_SHOWN = 6;

/** Lists what a label bias adds to each label, the largest changes first. @param blob other parts may follow the bias */
export function labelBiasText(blob: Uint8Array | null, labels: readonly string[]): string {
  if (blob === null) return "none";
  if (blob.length < labels.length) return "unknown: the task's labels have changed since the page read them";
  const bias = [...readLabelBias(blob, labels.length)]
    .map((by, place) => ({ label: labels[place], by }))
    .filter(({ by }) => by !== 0)
    .sort((a, b) => Math.abs(b.by) - Math.abs(a.by));
  const shown = bias
    .slice(0, MAX_SHOWN)
    .map(({ label, by }) => `${label} ${by > 0 ? "+" : "−"}${Math.abs(by).toFixed(2)}`);
  const rest = bias.length - shown.length;
  return [...shown, ...(rest > 0 ? [`${rest} smaller`] : [])].join(", ") || "none";
}
