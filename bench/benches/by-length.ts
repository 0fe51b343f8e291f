import type { BenchOptions, BenchResult, Figure, Row } from "../bench.ts";
import { pairedRatio } from "../statistics.ts";

/** A comparison of two measurements for texts of several lengths. */
interface Comparison<Times> {
  readonly lengths: readonly number[];
  /** Returns milliseconds by candidate, one number a round. */
  readonly measure: (tokens: number) => Promise<Times>;
  /** Ratios by their names. Figures are named `NAME_TOKENS`. */
  readonly ratios: Readonly<Record<string, Ratio<Times>>>;
  /** Returns the columns between tokens and ratios. */
  readonly columns: (times: Times, tokens: number) => Row;
}

interface Ratio<Times> {
  /** The highest ratio allowed, by tokens. */
  readonly goals: Readonly<Record<number, number>>;
  /** Returns the two sides of the ratio. */
  readonly sides: (times: Times) => readonly [number[], number[]];
}

/** Returns ratios of two measurements with a row and a figure for each length of text. */
export async function compareByLength<Times>(
  { lengths, ratios, measure, columns }: Comparison<Times>,
  progress: BenchOptions["progress"],
): Promise<BenchResult> {
  const figures: Record<string, Figure> = {};
  const table: Row[] = [];
  for (const [done, tokens] of lengths.entries()) {
    progress(done, lengths.length, `${tokens} tokens`);
    const times = await measure(tokens);
    const row: Record<string, string | number> = { tokens, ...columns(times, tokens) };
    for (const [name, { goals, sides }] of Object.entries(ratios)) {
      const { median, p95 } = pairedRatio(...sides(times));
      const most = goals[tokens];
      figures[`${name}_${tokens}`] = { value: median, unit: "x", goal: most === undefined ? undefined : { most } };
      row[name] = median;
      row[`${name} p95`] = p95;
    }
    table.push(row);
  }
  return { figures, table };
}
