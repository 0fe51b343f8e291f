import { addAt, dot } from "../lib/vectors.ts";

/** A smooth, strictly convex function. */
export interface Objective {
  /** Returns the value at a point, and overwrites `gradient`, of the point's length. */
  readonly evaluate: (point: Float64Array, gradient: Float64Array) => number;
  /** Multiplies a vector in place by a guess of the inverse Hessian. The better the guess, the fewer steps. */
  readonly precondition: (vector: Float64Array) => void;
}

/** A step, the gradient's change along it, and 1 / (step · change). */
interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly inverse: number;
}

/** How many pairs stand for the curvature. */
const MEMORY = 10;

const MAX_STEPS = 1000;

/** The part of the decrease by the slope that a step must bring. */
const DECREASE = 1e-4;

const MAX_HALVINGS = 40;

/** Differences of values below this part of the value are rounding. */
const ROUNDING = 1e-14;

/**
 * Returns the point at which a strictly convex function is least, by L-BFGS (Nocedal, 1980) with backtracking. The line
 * search need not look for positive curvature: such a function has it along every step.
 *
 * @param start is not changed
 * @param tolerance the gradient's norm at which to stop. The search also ends where rounding hides every decrease
 * @param afterStep is awaited after each evaluation, so that other work can run; an error that it throws ends the search
 */
export async function minimize(
  { evaluate, precondition }: Objective,
  start: Float64Array,
  tolerance: number,
  afterStep: () => Promise<void>,
): Promise<Float64Array> {
  let [point, next] = [start.slice(), start.slice()];
  let [gradient, nextGradient] = [start.slice(), start.slice()];
  let value = evaluate(point, gradient);
  await afterStep();
  const pairs: Pair[] = [];

  for (let taken = 0; taken < MAX_STEPS; taken++) {
    const norm = Math.sqrt(dot(gradient, gradient));
    if (!(norm > tolerance)) break;
    const direction = descentDirection(gradient, pairs, precondition);
    const slope = dot(gradient, direction);
    const accepts = (reached: number, size: number) =>
      reached <= value + DECREASE * size * slope ||
      // Hager and Zhang's test (2005): near the minimum, the slope shows what rounded values do not.
      (reached <= value + ROUNDING * Math.abs(value) && dot(nextGradient, direction) <= (2 * DECREASE - 1) * slope);
    let size = 1;
    let reached = Number.NaN;
    let isAccepted = false;
    for (let halving = 0; halving < MAX_HALVINGS && !isAccepted; halving++, size /= 2) {
      next.set(point);
      addAt(next, 0, direction, 0, next.length, size);
      reached = evaluate(next, nextGradient);
      await afterStep();
      isAccepted = accepts(reached, size);
    }
    if (!isAccepted) break;
    pairs.push(pairOf(difference(next, point), difference(nextGradient, gradient)));
    if (pairs.length > MEMORY) pairs.shift();
    value = reached;
    [point, next] = [next, point];
    [gradient, nextGradient] = [nextGradient, gradient];
  }
  return point;
}

const difference = (a: Float64Array, b: Float64Array) => a.map((value, i) => value - (b[i] ?? Number.NaN));

const pairOf = (step: Float64Array, change: Float64Array): Pair => ({ step, change, inverse: 1 / dot(step, change) });

/** Returns minus the gradient times the inverse Hessian, as the pairs and the guess have it, by the two-loop recursion. */
function descentDirection(
  gradient: Float64Array,
  pairs: readonly Pair[],
  precondition: Objective["precondition"],
): Float64Array {
  const direction = gradient.map((value) => -value);
  const { length } = direction;
  const back = pairs.toReversed().map((pair) => {
    const weight = pair.inverse * dot(pair.step, direction);
    addAt(direction, 0, pair.change, 0, length, -weight);
    return { pair, weight };
  });
  precondition(direction);
  for (const { pair, weight } of back.toReversed())
    addAt(direction, 0, pair.step, 0, length, weight - pair.inverse * dot(pair.change, direction));
  return direction;
}
