import { deviation, mean } from "d3-array";
import type { Run } from "./runs.ts";

/** Mean and standard deviation over the seeds. */
interface Spread {
  readonly mean: number;
  readonly sd: number;
}

/** What is known of a task whose newcomers had so many training texts. */
export interface Summary {
  readonly metric: "macro" | "mae";
  readonly seeds: number;
  readonly edge: number;
  readonly companion: number;
  readonly bestWithout: number;
  /** Which choice that was; the others are under `without`. */
  readonly bestWithoutIs: string;
  readonly spread: { readonly edge: number; readonly companion: number };
  /** How much better the Worker was than each; its spread is that of the seeds' differences, as a seed draws the newcomers of all. */
  readonly ahead: { readonly ofCompanion: Spread; readonly ofBestWithout: Spread };
  readonly without: Readonly<Record<string, number>>;
  readonly secondsEach: number;
}

const rounded = (value: number) => Math.round(value * 1e4) / 1e4;

function spreadOf(values: readonly number[]): Spread {
  return { mean: rounded(mean(values) ?? Number.NaN), sd: rounded(deviation(values) ?? 0) };
}

/** Figures by task and training texts a newcomer; mean absolute error where labels are numbers, else macro accuracy. */
export function summarise(all: readonly Run[]): Record<string, Record<string, Summary>> {
  const tasks = [...new Set(all.map(({ companion }) => companion.task))];
  return Object.fromEntries(
    tasks.map((task) => [task, summariseTask(all.filter((one) => one.companion.task === task))]),
  );
}

function summariseTask(runs: readonly Run[]): Record<string, Summary> {
  const counts = [...new Set(runs.flatMap(({ edge }) => Object.keys(edge.counts)))];
  return Object.fromEntries(
    counts.map((count) => [
      count,
      // A run that was broken off has some of them.
      summariseCount(
        runs.filter(({ edge }) => edge.counts[count]),
        count,
      ),
    ]),
  );
}

function summariseCount(runs: readonly Run[], count: string): Summary {
  const found = runs.map(({ companion, edge }) => ({ ...companion.counts[count], edge: edge.counts[count] }));
  const metric = found.every(({ companion }) => companion?.mae !== undefined) ? "mae" : "macro";
  const valuesOf = (scores: (Record<string, unknown> | undefined)[]) => scores.map((one) => Number(one?.[metric]));
  const of = (scores: (Record<string, unknown> | undefined)[]) => spreadOf(valuesOf(scores));
  const edges = valuesOf(found.map((one) => one.edge));
  const aheadOf = (rivals: (Record<string, unknown> | undefined)[]) =>
    spreadOf(valuesOf(rivals).map((rival, run) => ((edges[run] ?? 0) - rival) * (metric === "mae" ? -1 : 1)));
  const names = Object.keys(found[0]?.without ?? {});
  const without = Object.fromEntries(names.map((name) => [name, of(found.map((one) => one.without?.[name])).mean]));
  const better = (a: number, b: number) => (metric === "mae" ? a < b : a > b);
  const best = names.reduce((one, other) => (better(without[other] ?? 0, without[one] ?? 0) ? other : one));
  const [edge, companion] = [of(found.map((one) => one.edge)), of(found.map((one) => one.companion))];
  return {
    metric,
    seeds: runs.length,
    edge: edge.mean,
    companion: companion.mean,
    bestWithout: without[best] ?? Number.NaN,
    bestWithoutIs: best,
    spread: { edge: edge.sd, companion: companion.sd },
    ahead: {
      ofCompanion: aheadOf(found.map((one) => one.companion)),
      ofBestWithout: aheadOf(found.map((one) => one.without?.[best])),
    },
    without,
    secondsEach: rounded(mean(found, (one) => one.edge?.seconds ?? Number.NaN) ?? Number.NaN),
  };
}
