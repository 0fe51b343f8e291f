import { median, quantile } from "d3-array";

/** Bytes; as the platform counts them, not 2^20. */
export const MEGABYTE = 1e6;

/** Middle and upper end of many measurements. */
export interface Spread {
  readonly median: number;
  readonly p95: number;
}

/** @throws RangeError if there are no numbers */
export function spreadOf(numbers: readonly number[]): Spread {
  const middle = median(numbers);
  const upper = quantile(numbers, 0.95);
  if (middle === undefined || upper === undefined) throw new RangeError("There is nothing to take a median of.");
  return { median: middle, p95: upper };
}

/**
 * What one thing takes for each unit of what another takes.
 *
 * Both are measured in turns, so that what disturbs the machine disturbs both: the ratio is taken within each turn.
 */
export function ratioOf(above: readonly number[], below: readonly number[]): Spread {
  if (above.length !== below.length)
    throw new RangeError(`${above.length} turns of one, ${below.length} of the other.`);
  return spreadOf(above.map((value, turn) => value / (below[turn] ?? Number.NaN)));
}

/** Rounded for people, to four digits that count. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
