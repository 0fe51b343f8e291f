import { median, quantile } from "d3-array";

/** Bytes in a megabyte, as Cloudflare counts: not 2^20. */
export const MEGABYTE = 1e6;

/** Quantiles of samples. */
export interface Quantiles {
  readonly median: number;
  readonly p95: number;
}

/**
 * Returns the median and the 95th percentile.
 *
 * @throws RangeError if there are no samples
 */
export function quantilesOf(samples: readonly number[]): Quantiles {
  const [middle, p95] = [median(samples), quantile(samples, 0.95)];
  if (middle === undefined || p95 === undefined) throw new RangeError("There are no samples to take a median of.");
  return { median: middle, p95 };
}

/** Returns the median. @throws RangeError if there are no samples */
export const medianOf = (samples: readonly number[]): number => quantilesOf(samples).median;

/**
 * Returns quantiles of the ratios within each round. Both sides are measured in every round, so a disturbance of the
 * machine affects both.
 *
 * @throws RangeError if the sides have different numbers of rounds
 */
export function pairedRatio(numerators: readonly number[], denominators: readonly number[]): Quantiles {
  if (numerators.length !== denominators.length)
    throw new RangeError(`One side has ${numerators.length} rounds, the other ${denominators.length}.`);
  return quantilesOf(numerators.map((value, round) => value / (denominators[round] ?? Number.NaN)));
}

/** Returns the number rounded to four significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
