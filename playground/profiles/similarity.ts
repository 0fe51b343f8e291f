// Places profiles in two dimensions by what they store: the two principal components of their masks, or of their label
// biases where a task uses no masks.
import { visitRows } from "./turns.ts";

/** Passes over the rows. The first components of masks converge in a few. */
const PASSES = 12;
/** Columns that count. Of more, every n-th does: similar masks are similar in these too. */
const MAX_COLUMNS = 512;

/** A row's coordinates, each from -1 to 1. */
export interface Places {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

function normalize(vector: Float64Array): void {
  const length = Math.hypot(...vector) || 1;
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) / length;
}

/** Takes out of a vector what it has of another one of length 1. */
function removeFrom(vector: Float64Array, other: Float64Array): void {
  const share = vector.reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) - share * (other[i] ?? 0);
}

const toUnitRange = (values: Float64Array): Float64Array => {
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
  return values.map((value) => value / most);
};

/**
 * Returns the rows' places on their two principal components, by power iteration on the centred rows.
 *
 * @param rows vectors of one length
 * @throws DOMException `AbortError` if the signal is aborted
 */
export async function placesOf(rows: readonly ArrayLike<number>[], signal: AbortSignal): Promise<Places> {
  const width = rows[0]?.length ?? 0;
  const step = Math.max(1, Math.ceil(width / MAX_COLUMNS));
  const columns = Math.ceil(width / step);
  const mean = new Float64Array(columns);
  await visitRows(rows, signal, (row) => {
    for (let i = 0; i < columns; i++) mean[i] = (mean[i] ?? 0) + (row[i * step] ?? 0) / rows.length;
  });
  const project = (row: ArrayLike<number>, onto: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += ((row[i * step] ?? 0) - (mean[i] ?? 0)) * (onto[i] ?? 0);
    return sum;
  };
  // Any start does that is not at right angles to a component.
  const first = Float64Array.from({ length: columns }, (_, i) => Math.sin(1 + i));
  const second = Float64Array.from({ length: columns }, (_, i) => Math.cos(1 + 2 * i));
  normalize(first);
  normalize(second);
  for (let pass = 0; pass < PASSES; pass++) {
    const sums = [new Float64Array(columns), new Float64Array(columns)] as const;
    await visitRows(rows, signal, (row) => {
      const [a, b] = [project(row, first), project(row, second)];
      for (let i = 0; i < columns; i++) {
        const value = (row[i * step] ?? 0) - (mean[i] ?? 0);
        sums[0][i] = (sums[0][i] ?? 0) + a * value;
        sums[1][i] = (sums[1][i] ?? 0) + b * value;
      }
    });
    first.set(sums[0]);
    normalize(first);
    second.set(sums[1]);
    removeFrom(second, first);
    normalize(second);
  }
  const [x, y] = [new Float64Array(rows.length), new Float64Array(rows.length)];
  await visitRows(rows, signal, (row, place) => {
    x[place] = project(row, first);
    y[place] = project(row, second);
  });
  return { x: toUnitRange(x), y: toUnitRange(y) };
}
