import type { BenchOptions, BenchResult, Figure, Row } from "../bench.ts";
import { pairedRatio } from "../statistics.ts";

/** A comparison of two measurements for texts of several lengths. */
interface Comparison<Times> {
  /** Figures are named `FIGURE_TOKENS`. */
  readonly figure: string;
  /** The highest ratio allowed, by tokens; null if there is no goal. */
  readonly goals: Readonly<Record<number, number | null>>;
  /** Returns milliseconds by candidate, one number a round. */
  readonly measure: (tokens: number) => Promise<Times>;
  /** Returns the two sides of the ratio. */
  readonly sides: (times: Times) => readonly [number[], number[]];
  /** Returns the columns between tokens and ratio. */
  readonly columns: (times: Times, tokens: number) => Row;
}

/** Returns ratios of two measurements with a row and a figure for each length of text. */
export async function compareByLength<Times>(
  { figure, goals, measure, sides, columns }: Comparison<Times>,
  progress: BenchOptions["progress"],
): Promise<BenchResult> {
  const figures: Record<string, Figure> = {};
  const table: Row[] = [];
  const lengths = Object.entries(goals).map(([tokens, most]) => [Number(tokens), most] as const);
  for (const [done, [tokens, most]] of lengths.entries()) {
    progress(done, lengths.length, `${tokens} tokens`);
    const times = await measure(tokens);
    const { median, p95 } = pairedRatio(...sides(times));
    figures[`${figure}_${tokens}`] = { value: median, unit: "x", goal: most === null ? undefined : { most } };
    table.push({ tokens, ...columns(times, tokens), ratio: median, "ratio p95": p95 });
  }
  return { figures, table };
}
