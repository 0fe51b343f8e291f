import type { TopLevelSpec } from "vega-lite";

/** The limit that a figure must keep. */
export type Goal = { readonly most: number } | { readonly least: number };

/** A number under a name that never changes between runs. */
export interface Figure {
  readonly value: number;
  /** "x" for a ratio within the run; otherwise bytes, milliseconds and the like. */
  readonly unit: string;
  /** Not set if the figure only informs. */
  readonly goal?: Goal | undefined;
}

/** A row of a bench's table, by column. */
export type Row = Readonly<Record<string, string | number>>;

/** What a bench measured. */
export interface BenchResult {
  /** By name; saved in `latest.json`. */
  readonly figures: Readonly<Record<string, Figure>>;
  /** Printed and saved. */
  readonly table: readonly Row[];
  /** By file name without extension. */
  readonly plots?: Readonly<Record<string, TopLevelSpec>>;
  /** What this machine cannot measure, each with its reason. */
  readonly skipped?: readonly string[];
}

/** How to run a bench. */
export interface BenchOptions {
  /** Runs every step once or twice. The figures mean nothing. */
  readonly quick: boolean;
  /** Reports that `done` of `total` steps are done, and the step that begins. */
  progress(done: number, total: number, step: string): void;
}

/** A measurement with a command: `npm run bench -- NAME`. */
export interface Bench {
  readonly name: string;
  /** One line for `--help`. */
  readonly description: string;
  run(options: BenchOptions): Promise<BenchResult>;
}

/** Returns whether a figure meets its goal, or null if it has none. */
export function meetsGoal({ value, goal }: Figure): boolean | null {
  if (!goal) return null;
  return "most" in goal ? value <= goal.most : value >= goal.least;
}
