import type { Figure, Row } from "../bench.ts";
import { MEGABYTE, pairedRatio } from "../statistics.ts";
import { TASKS, type VariantFiles } from "./files.ts";

/** The variant that the others are compared with. */
const SHIPPED = "shipped";
const NOT_MEASURED = "–";
const REPORTED_TOKENS = 32;

/** Milliseconds a run, one number a round: by tokens, then by variant. */
export type Times = ReadonlyMap<number, Readonly<Record<string, readonly number[]>>>;

function ratioToShipped(name: string, times: Times, tokens: number): number {
  const byVariant = times.get(tokens) ?? {};
  return pairedRatio(byVariant[name] ?? [], byVariant[SHIPPED] ?? []).median;
}

/** Returns a row for each variant, and one for PyTorch if agreement was measured. */
export function tableOf({ variants, agreement }: VariantFiles, times: Times): Row[] {
  const tokenCounts = [...times.keys()];
  const agreementColumns = (columns: (task: (typeof TASKS)[number]) => readonly [number?, number?]) =>
    Object.fromEntries(
      TASKS.flatMap((task) => {
        const [same, accuracy] = columns(task);
        return [
          [`${task}: as fp32`, same ?? NOT_MEASURED],
          [`${task}: right`, accuracy ?? NOT_MEASURED],
        ];
      }),
    );
  const rows = variants.map(({ name, about, bytes }) => ({
    variant: name,
    ...Object.fromEntries(tokenCounts.map((tokens) => [`${tokens} tokens`, ratioToShipped(name, times, tokens)])),
    MB: bytes / MEGABYTE,
    ...agreementColumns((task) => [agreement[task]?.same[name], agreement[task]?.accuracies[name]]),
    "what it is": about,
  }));
  if (Object.keys(agreement).length === 0) return rows;
  const reference = {
    variant: "PyTorch",
    ...Object.fromEntries(tokenCounts.map((tokens) => [`${tokens} tokens`, NOT_MEASURED])),
    MB: NOT_MEASURED,
    ...agreementColumns((task) => (agreement[task] ? [1, agreement[task].accuracy] : [])),
    "what it is": "everything in fp32: the reference of the agreement",
  };
  return [...rows, reference];
}

/** Returns the time of fp32 over int8, and the share of texts whose label int8 does not change. */
export function figuresOf({ agreement }: VariantFiles, times: Times): Record<string, Figure> {
  const measured = TASKS.flatMap((task) => agreement[task] ?? []);
  const texts = measured.reduce((sum, task) => sum + task.texts, 0);
  const same = measured.reduce((sum, task) => sum + task.texts * (task.same[SHIPPED] ?? Number.NaN), 0);
  return {
    [`variants_fp32_${REPORTED_TOKENS}`]: { value: ratioToShipped("fp32", times, REPORTED_TOKENS), unit: "x" },
    ...(texts > 0 && { variants_fp32_agreement: { value: same / texts, unit: "share of texts" } }),
  };
}
