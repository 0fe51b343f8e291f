import { type HeadShape, readLabelBias, readProfileHead } from "../../src/profiles/profile-head.ts";

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

/** What the service stores of a profile beside its masks, in bytes. */
export interface HeadParts {
  readonly labelBias: number;
  readonly headChange: number;
  readonly knownLabels: number;
}

/** Returns the bytes of a label bias and of what follows it. @throws XpeftError `invalid_label_bias` */
export function headParts(blob: Uint8Array | null, shape: HeadShape): HeadParts {
  if (blob === null) return { labelBias: 0, headChange: 0, knownLabels: 0 };
  const { change, known } = readProfileHead(blob, shape);
  const knownLabels = known === null ? 0 : Math.ceil(shape.labels / 8);
  const headChange = blob.length - shape.labels - knownLabels;
  return { labelBias: shape.labels, headChange: change.length === 0 ? 0 : headChange, knownLabels };
}

/** Lists the parts of a profile with their bytes. */
export function partsText(maskBytes: number, { labelBias, headChange, knownLabels }: HeadParts): string {
  const parts = { masks: maskBytes, "label bias": labelBias, "head change": headChange, "known labels": knownLabels };
  return Object.entries(parts)
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${name} ${bytes}`)
    .join(", ");
}
