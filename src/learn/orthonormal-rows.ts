import { addAt, dotAt } from "../lib/vectors.ts";

/** A row whose rest is below this part of its length is a combination of the rows before it. */
const SAME_SPAN = 1e-10;

/** Rows in an orthonormal basis of their span. */
export interface ReducedRows {
  /** Size of the basis, at most the number of rows and the rows' length. */
  readonly rank: number;
  /** The rows' coordinates `[rows, rank]`. */
  readonly coordinates: Float64Array;
  /** `[rank, length]` */
  readonly basis: Float64Array;
}

/**
 * Returns rows in an orthonormal basis of their span, by Gram and Schmidt's method.
 *
 * @param rows `[count, length]`
 */
export function reduceRows(rows: Float64Array, length: number): ReducedRows {
  const count = rows.length / length;
  const most = Math.min(count, length);
  const basis = new Float64Array(most * length);
  const wide = new Float64Array(count * most);
  let rank = 0;
  for (let row = 0; row < count; row++) {
    const rest = rows.slice(row * length, (row + 1) * length);
    const norm = Math.sqrt(dotAt(rest, 0, rest, 0, length));
    // Twice is enough (Giraud & others, 2005): the first pass leaves rounding of what it removes.
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < rank; k++) {
        const part = dotAt(rest, 0, basis, k * length, length);
        wide[row * most + k] = (wide[row * most + k] ?? Number.NaN) + part;
        addAt(rest, 0, basis, k * length, length, -part);
      }
    }
    const restNorm = Math.sqrt(dotAt(rest, 0, rest, 0, length));
    if (rank === most || !(restNorm > SAME_SPAN * norm)) continue;
    wide[row * most + rank] = restNorm;
    addAt(basis, rank * length, rest, 0, length, 1 / restNorm);
    rank++;
  }
  const coordinates = new Float64Array(count * rank);
  for (let row = 0; row < count; row++) coordinates.set(wide.subarray(row * most, row * most + rank), row * rank);
  return { rank, coordinates, basis: basis.subarray(0, rank * length) };
}
