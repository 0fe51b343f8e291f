import { mean, quantile } from "d3-array";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { TaskRun } from "./files.ts";

/** A difference in points (hundredths of the metric), with its 95% bootstrap interval. Positive: learning is better. */
export interface Difference {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** A task's results for a number of training texts a profile. */
interface Summary {
  readonly metric: string;
  readonly newcomers: number;
  readonly draws: number;
  /** Mean of the learnt profiles' figures. */
  readonly learnt: number;
  /** Of the largest profile. */
  readonly bytes: number;
  readonly seconds: number;
  /** Mean figure of each other method. */
  readonly methods: Readonly<Record<string, number>>;
  /** What is learnt minus each other method, paired within each newcomer. */
  readonly differences: Readonly<Record<string, Difference>>;
}

/** Summaries by task and by training texts a profile. */
export type Summaries = Readonly<Record<string, Readonly<Record<string, Summary>>>>;

const RESAMPLES = 10_000;

const toFourDecimals = (value: number) => Math.round(value * 1e4) / 1e4;
const toHundredths = (value: number) => Math.round(value * 100) / 100;

/** Returns a difference as a text: `+0.52 (-0.10 to +1.20)`. */
export function describeInterval({ mean: middle, low, high }: Difference): string {
  const signed = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(2)}`;
  return `${signed(middle)} (${signed(low)} to ${signed(high)})`;
}

/** Returns the mean of each newcomer's figures over the draws. @param runs a list of figures for each draw */
function byNewcomer(runs: readonly (readonly number[])[]): number[] {
  const [first = []] = runs;
  return first.map((_, place) => mean(runs, (figures) => figures[place] ?? Number.NaN) ?? Number.NaN);
}

/** Returns the mean of newcomers' gains, in points, with the interval that resampling newcomers gives. */
export function intervalOf(gains: readonly number[]): Difference {
  const random = xoroshiro128plus(0);
  const means = Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let draw = 0; draw < gains.length; draw++) sum += gains[uniformInt(random, 0, gains.length - 1)] ?? Number.NaN;
    return sum / gains.length;
  });
  const points = (value: number | undefined) => toHundredths(100 * (value ?? Number.NaN));
  return { mean: points(mean(gains)), low: points(quantile(means, 0.025)), high: points(quantile(means, 0.975)) };
}

function summarizeTexts({ companion, edge }: TaskRun, texts: number): Summary {
  const pairs = companion.runs.flatMap((run) => {
    const learnt = edge.runs.find(
      ({ draw, texts: count }) => run.texts === texts && draw === run.draw && count === texts,
    );
    return learnt ? [{ methods: run.methods, learnt }] : [];
  });
  const sign = companion.metric === "accuracy" ? 1 : -1;
  const names = [...new Set(pairs.flatMap(({ methods }) => Object.keys(methods)))];
  const entries = names.map((name) => {
    const having = pairs.flatMap(({ methods, learnt }) => {
      const figures = methods[name];
      return figures ? [{ figures, learnt: learnt.figures }] : [];
    });
    const others = byNewcomer(having.map(({ figures }) => figures));
    const own = byNewcomer(having.map(({ learnt }) => learnt));
    const gains = own.map((value, place) => sign * (value - (others[place] ?? Number.NaN)));
    return { name, figure: toFourDecimals(mean(others) ?? Number.NaN), difference: intervalOf(gains) };
  });
  return {
    metric: companion.metric,
    newcomers: companion.newcomers.length,
    draws: pairs.length,
    learnt: toFourDecimals(mean(byNewcomer(pairs.map(({ learnt }) => learnt.figures))) ?? Number.NaN),
    bytes: Math.max(...pairs.map(({ learnt }) => learnt.bytes)),
    seconds: toFourDecimals(mean(pairs, ({ learnt }) => learnt.seconds) ?? Number.NaN),
    methods: Object.fromEntries(entries.map(({ name, figure }) => [name, figure])),
    differences: Object.fromEntries(entries.map(({ name, difference }) => [name, difference])),
  };
}

/** Summarizes the tasks' runs. */
export function summarize(runs: readonly TaskRun[]): Summaries {
  return Object.fromEntries(
    runs.map((run) => {
      const counts = [...new Set(run.edge.runs.map(({ texts }) => texts))].sort((a, b) => a - b);
      return [run.companion.task, Object.fromEntries(counts.map((texts) => [texts, summarizeTexts(run, texts)]))];
    }),
  );
}
