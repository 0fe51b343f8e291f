import { deviation, greatest, group, mean } from "d3-array";
import type { TopLevelSpec } from "vega-lite";
import type { Run } from "./files.ts";

/** Mean and standard deviation over seeds. */
interface Spread {
  readonly mean: number;
  readonly sd: number;
}

/** A task's results for a number of training texts a profile. */
interface Summary {
  readonly metric: "macro" | "mae";
  readonly seeds: number;
  readonly worker: Spread;
  /** `python -m xpeft add`. */
  readonly add: Spread;
  /** The best method without masks. */
  readonly baseline: { readonly name: string; readonly mean: number };
  /** The Worker minus the others within each seed, because a seed draws the profiles. Positive: the Worker is better. */
  readonly pairedDifference: { readonly add: Spread; readonly baseline: Spread };
  /** Means of all methods without masks. */
  readonly baselines: Readonly<Record<string, number>>;
  readonly secondsEach: number;
}

/** Summaries by task and by training texts a profile. */
export type Summaries = Readonly<Record<string, Readonly<Record<string, Summary>>>>;

const toFourDecimals = (value: number) => Math.round(value * 1e4) / 1e4;

const spreadOf = (values: readonly number[]): Spread => ({
  mean: toFourDecimals(mean(values) ?? Number.NaN),
  sd: toFourDecimals(deviation(values) ?? 0),
});

/** Summarizes runs. The metric is the mean absolute error if labels are numbers, otherwise macro accuracy. */
export function summarize(runs: readonly Run[]): Summaries {
  const tasks = group(runs, ({ companion }) => companion.task);
  return Object.fromEntries(
    [...tasks].map(([task, ofTask]) => {
      const counts = [...new Set(ofTask.flatMap(({ edge }) => Object.keys(edge.counts)))];
      return [task, Object.fromEntries(counts.map((count) => [count, summarizeCount(ofTask, count)]))];
    }),
  );
}

function summarizeCount(all: readonly Run[], count: string): Summary {
  // An interrupted run lacks some counts.
  const runs = all.flatMap(({ companion, edge }) => {
    const [trained, worker] = [companion.counts[count], edge.counts[count]];
    return trained && worker ? [{ add: trained.companion, baselines: trained.without, worker }] : [];
  });
  const metric = runs.every(({ add }) => add.mae !== undefined) ? "mae" : "macro";
  const sign = metric === "mae" ? -1 : 1;
  const scoreOf = (scores: Readonly<Record<string, unknown>> | undefined) => Number(scores?.[metric]);
  const worker = runs.map((run) => scoreOf(run.worker));
  const add = runs.map((run) => scoreOf(run.add));
  const baselines = new Map(
    Object.keys(runs[0]?.baselines ?? {}).map((name) => [name, runs.map((run) => scoreOf(run.baselines[name]))]),
  );
  const meanOf = (values: readonly number[]) => spreadOf(values).mean;
  const [name = "none", baseline = []] = greatest(baselines, ([, values]) => sign * meanOf(values)) ?? [];
  const differenceTo = (others: readonly number[]) =>
    spreadOf(worker.map((value, run) => sign * (value - (others[run] ?? Number.NaN))));
  return {
    metric,
    seeds: runs.length,
    worker: spreadOf(worker),
    add: spreadOf(add),
    baseline: { name, mean: meanOf(baseline) },
    pairedDifference: { add: differenceTo(add), baseline: differenceTo(baseline) },
    baselines: Object.fromEntries([...baselines].map(([other, values]) => [other, meanOf(values)])),
    secondsEach: toFourDecimals(mean(runs, (run) => run.worker.seconds) ?? Number.NaN),
  };
}

/** Returns a plot with a panel for each task: scores by training texts a profile. */
export function plotOf(summaries: Summaries): TopLevelSpec {
  const methods = ["Worker", "add", "best without masks"];
  const values = Object.entries(summaries).flatMap(([task, counts]) =>
    Object.entries(counts).flatMap(([count, { metric, worker, add, baseline }]) =>
      [worker, add, baseline].map(({ mean }, index) => ({
        panel: `${task}, ${metric === "mae" ? "mean absolute error" : "macro accuracy"}`,
        texts: Number(count),
        score: mean,
        method: methods[index],
      })),
    ),
  );
  return {
    data: { values },
    facet: { column: { field: "panel", type: "nominal", title: null } },
    spec: {
      width: 220,
      height: 220,
      mark: { type: "line", point: true },
      encoding: {
        x: {
          field: "texts",
          type: "quantitative",
          scale: { type: "log", nice: false },
          axis: { values: [5, 10, 20, 50] },
        },
        y: { field: "score", type: "quantitative", scale: { zero: false }, title: null },
        color: { field: "method", type: "nominal", title: null, sort: methods, legend: { labelLimit: 0 } },
      },
    },
    resolve: { scale: { y: "independent" } },
  };
}
