import type { Figure, Line } from "../bench.ts";
import { MEGABYTE, ratioOf } from "../statistics.ts";
import { TASKS, type Written } from "./written.ts";

/** The shape that all are held against. */
export const SHIPPED = "shipped";
const NOT_MEASURED = "–";
const TOLD = 32;

/** Milliseconds a run, one number a turn: by tokens, then by shape. */
export type Times = ReadonlyMap<number, Readonly<Record<string, readonly number[]>>>;

/** A shape's times over the shipped one's, by tokens. */
function ratiosOf(name: string, times: Times): Map<number, number> {
  return new Map(
    [...times].map(([tokens, by]) => [tokens, ratioOf(by[name] ?? [], by[SHIPPED] ?? []).median] as const),
  );
}

/** One line a shape, and a last one for what all agree or disagree with. */
export function linesOf({ shapes, agreement }: Written, times: Times): Line[] {
  const lines = shapes.map(({ name, about, bytes }) => {
    const line: Record<string, string | number> = { shape: name };
    for (const [tokens, ratio] of ratiosOf(name, times)) line[`${tokens} tokens`] = ratio;
    line.MB = bytes / MEGABYTE;
    for (const task of TASKS) {
      line[`${task}: as fp32`] = agreement[task]?.same[name] ?? NOT_MEASURED;
      line[`${task}: right`] = agreement[task]?.accuracies[name] ?? NOT_MEASURED;
    }
    return { ...line, "what it is": about };
  });
  if (Object.keys(agreement).length === 0) return lines;
  const reference: Record<string, string | number> = { shape: "PyTorch" };
  for (const tokens of times.keys()) reference[`${tokens} tokens`] = NOT_MEASURED;
  reference.MB = NOT_MEASURED;
  for (const task of TASKS) {
    reference[`${task}: as fp32`] = agreement[task] ? 1 : NOT_MEASURED;
    reference[`${task}: right`] = agreement[task]?.accuracy ?? NOT_MEASURED;
  }
  return [...lines, { ...reference, "what it is": "fp32, all of it: what agreement is with" }];
}

/** What the shipped graph's int8 gains over fp32 in time, and how many of all texts' labels it leaves as they are. */
export function figuresOf({ agreement }: Written, times: Times): Record<string, Figure> {
  const measured = TASKS.flatMap((task) => agreement[task] ?? []);
  const texts = measured.reduce((sum, one) => sum + one.texts, 0);
  const same = measured.reduce((sum, one) => sum + one.texts * (one.same[SHIPPED] ?? Number.NaN), 0);
  return {
    [`shapes_fp32_${TOLD}`]: { value: ratiosOf("fp32", times).get(TOLD) ?? Number.NaN, unit: "x" },
    ...(texts > 0 && { shapes_fp32_agreement: { value: same / texts, unit: "share of texts" } }),
  };
}
