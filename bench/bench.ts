import type { TopLevelSpec } from "vega-lite";

/** What a figure is to be held against. */
export type Goal = { readonly most: number } | { readonly least: number };

/** A number under a name that stays the same from run to run. */
export interface Figure {
  readonly value: number;
  /** What the number counts: "x" for a ratio within the run, or bytes, milliseconds and the like. */
  readonly unit: string;
  /** None where the figure only informs. */
  readonly goal?: Goal;
}

/** A line of a bench's table. */
export type Line = Readonly<Record<string, string | number>>;

/** What a bench found. */
export interface Outcome {
  /** By name; they go into `latest.json`. */
  readonly figures: Readonly<Record<string, Figure>>;
  /** Shown to whoever runs the bench, and kept. */
  readonly table: readonly Line[];
  /** By file name without its ending. */
  readonly plots?: Readonly<Record<string, TopLevelSpec>>;
  /** What could not be measured here, each with its reason. */
  readonly skipped?: readonly string[];
}

/** How a bench is to run. */
export interface Run {
  /** A short run shows that all of it works; its figures are not kept. */
  readonly quick: boolean;
  /** Tells how far the bench is, of `total` steps. */
  progress(done: number, total: number, what: string): void;
}

/** Something that is measured by a command of its own: `npm run bench -- NAME`. */
export interface Bench {
  readonly name: string;
  /** One line for `--help`. */
  readonly about: string;
  run(run: Run): Promise<Outcome>;
}

/** Whether a figure is what it is to be; null where it has no goal. */
export function holds({ value, goal }: Figure): boolean | null {
  if (!goal) return null;
  return "most" in goal ? value <= goal.most : value >= goal.least;
}
