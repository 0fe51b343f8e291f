import { addAt, dotAt } from "../lib/vectors.ts";
import { type HeadChangeRank, type HeadShape, MAX_HEAD_CHANGE_RANK } from "../profiles/profile-head.ts";

/** Rounds of the power method for a rank. The features of a few texts have few directions that matter. */
const ROUNDS = 50;

/** What is left of a change, as a part of its squares, that is worth no further rank. */
const NEGLIGIBLE = 0.03;

/** Returns a head change as numbers that are added to the head's weight, `[labels, hidden]`. */
export function denseChange(change: readonly HeadChangeRank[], { labels, hidden }: HeadShape): Float64Array {
  const dense = new Float64Array(labels * hidden);
  for (const { scale, left, right } of change) {
    const row = Float64Array.from(right, (step) => scale * step);
    for (const [label, step] of left.entries()) addAt(dense, label * hidden, row, 0, hidden, step);
  }
  return dense;
}

/**
 * Returns a change of a head's weight as it is stored: the ranks that explain the most of it, each in int8.
 *
 * The ranks are singular vectors, found one after the other by the power method. What is the same for all labels is left
 * out first, because it changes no score. A rank is fitted to what the stored ranks before it leave, rounding included.
 *
 * @param weight `[labels, hidden]`
 * @param afterRank is awaited after each rank, so that other work can run
 */
export async function packChange(
  weight: Float64Array,
  { labels, hidden }: HeadShape,
  afterRank: () => Promise<void>,
): Promise<HeadChangeRank[]> {
  const rest = centred(weight, labels, hidden);
  const whole = dotAt(rest, 0, rest, 0, rest.length);
  const change: HeadChangeRank[] = [];
  while (change.length < Math.min(MAX_HEAD_CHANGE_RANK, labels - 1)) {
    if (!(dotAt(rest, 0, rest, 0, rest.length) > NEGLIGIBLE * whole)) break;
    const rank = packRank(rest, labels, hidden);
    if (!rank) break;
    change.push(rank);
    const stored = denseChange([rank], { labels, hidden });
    addAt(rest, 0, stored, 0, rest.length, -1);
    await afterRank();
  }
  return change;
}

function centred(weight: Float64Array, labels: number, hidden: number): Float64Array {
  const mean = new Float64Array(hidden);
  for (let label = 0; label < labels; label++) addAt(mean, 0, weight, label * hidden, hidden, 1 / labels);
  const rest = weight.slice();
  for (let label = 0; label < labels; label++) addAt(rest, label * hidden, mean, 0, hidden, -1);
  return rest;
}

/** Returns the rank that explains the most of a matrix `[labels, hidden]`; null if it is too small to be stored. */
function packRank(matrix: Float64Array, labels: number, hidden: number): HeadChangeRank | null {
  const right = new Float64Array(hidden);
  const left = new Float64Array(labels);
  // The longest row is a start that no rounding makes orthogonal to the rank.
  right.set(longestRow(matrix, labels, hidden));
  for (let round = 0; round < ROUNDS; round++) {
    for (let label = 0; label < labels; label++) left[label] = dotAt(matrix, label * hidden, right, 0, hidden);
    normalize(left);
    right.fill(0);
    for (const [label, value] of left.entries()) addAt(right, 0, matrix, label * hidden, hidden, value);
    if (round < ROUNDS - 1) normalize(right);
  }
  const [leftSteps, leftStep] = toInt8(left);
  const [rightSteps, rightStep] = toInt8(right);
  const scale = Math.fround(leftStep * rightStep);
  return scale > 0 && Number.isFinite(scale) ? { scale, left: leftSteps, right: rightSteps } : null;
}

function longestRow(matrix: Float64Array, labels: number, hidden: number): Float64Array {
  const squares = Array.from({ length: labels }, (_, label) =>
    dotAt(matrix, label * hidden, matrix, label * hidden, hidden),
  );
  const longest = squares.indexOf(Math.max(...squares));
  return matrix.subarray(longest * hidden, (longest + 1) * hidden);
}

function normalize(vector: Float64Array): void {
  const norm = Math.sqrt(dotAt(vector, 0, vector, 0, vector.length));
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? Number.NaN) / norm;
}

/** Returns numbers in steps of int8, and the size of a step. */
function toInt8(numbers: Float64Array): [Int8Array, number] {
  const step = numbers.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0) / 127;
  return [Int8Array.from(numbers, (value) => Math.round(value / step)), step];
}
