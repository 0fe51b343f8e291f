import { addAt, dot, dotAt } from "../lib/vectors.ts";
import { choleskyFactor, solveInPlace } from "./cholesky.ts";
import { minimize, type Objective } from "./lbfgs.ts";
import { reduceRows } from "./orthonormal-rows.ts";

/** A linear head: `logits = weight · features + bias`. */
export interface LinearHead<Numbers extends ArrayLike<number> = ArrayLike<number>> {
  /** `[labels, hidden]` */
  readonly weight: Numbers;
  /** `[labels]` */
  readonly bias: Numbers;
}

/** What a head is fitted to. */
export interface HeadFit {
  /** `[texts, hidden]` */
  readonly features: ArrayLike<number>;
  readonly hidden: number;
  /** The target probability of each label, `[texts, labels]`; each row's sum is 1. */
  readonly targets: ArrayLike<number>;
  readonly labels: number;
  /** Precision (1 / variance) of the prior of each weight, above 0. The prior's mean is 0. */
  readonly weightPrecision: number;
  /** Precision of the prior of each bias, above 0. */
  readonly biasPrecision: number;
  /** How much each text counts, `[texts]`, 0 or more; 1 by default. */
  readonly sampleWeights?: ArrayLike<number> | undefined;
  /** Numbers that are added to the logits of each text, `[texts, labels]`, such as a label bias. */
  readonly offsets?: ArrayLike<number> | undefined;
}

/**
 * The least norm of features that scales them or their precision. Features may be zeros, or the same for all texts, which
 * leaves zeros once they are centred.
 */
export const SMALLEST_NORM = 1e-6;

/** The gradient's norm at which a fit stops, for each text that counts 1. */
const TOLERANCE = 1e-7;

/**
 * Returns the head that is likeliest a posteriori: multinomial logistic regression under a normal prior. It minimizes
 *
 * `Σ sampleWeight · crossEntropy + weightPrecision / 2 · |weight|² + biasPrecision / 2 · |bias|²`
 *
 * The same input gives the same bits. The distance to the optimum is at most the gradient's norm over the lower
 * precision, and the norm is at most 1e-7 for each text, or what rounding leaves.
 *
 * @param afterStep is awaited after each step of the search, so that other work can run; an error ends the fit
 * @throws RangeError if a precision is not above 0
 */
export async function fitHead(fit: HeadFit, afterStep: () => Promise<void>): Promise<LinearHead<Float64Array>> {
  for await (const head of fitHeads(fit, [1], TOLERANCE, afterStep)) return head;
  throw new RangeError("A factor gives a head.");
}

/**
 * Yields the heads that {@link fitHead} returns where both precisions are multiplied by a factor: one head a factor.
 *
 * The optimum is a combination of the texts' features. So the search runs over coordinates in a basis of their span, for
 * 20 texts over 20 numbers a label.
 *
 * @param factors in falling order: each search starts at the optimum before
 * @param tolerance the gradient's norm at which a search stops, for each text that counts 1
 * @param afterStep as of {@link fitHead}
 * @throws RangeError if a precision is not above 0
 */
export async function* fitHeads(
  fit: HeadFit,
  factors: readonly number[],
  tolerance: number,
  afterStep: () => Promise<void>,
): AsyncGenerator<LinearHead<Float64Array>, void> {
  const { features, hidden, labels, weightPrecision, biasPrecision } = fit;
  if (!(weightPrecision > 0 && biasPrecision > 0)) throw new RangeError("A precision must be above 0.");
  const texts = features.length / hidden;
  // As the weight of a constant feature of this size, a bias has the precision of weights.
  const constant = Math.sqrt(weightPrecision / biasPrecision);
  const length = hidden + 1;
  const inputs = new Float64Array(texts * length).fill(constant);
  for (let text = 0; text < texts; text++) {
    for (let i = 0; i < hidden; i++) inputs[text * length + i] = features[text * hidden + i] ?? Number.NaN;
  }
  const { rank, coordinates, basis } = reduceRows(inputs, length);
  const problem = {
    inputs: coordinates,
    rank,
    labels,
    offsets: Float64Array.from({ length: texts * labels }, (_, i) => fit.offsets?.[i] ?? 0),
    targets: Float64Array.from({ length: texts * labels }, (_, i) => fit.targets[i] ?? Number.NaN),
    textWeights: Float64Array.from({ length: texts }, (_, text) => fit.sampleWeights?.[text] ?? 1),
  };
  const counted = problem.textWeights.reduce((sum, value) => sum + value, 0);
  // The search sees a bias's slope times the constant, so where that is small it must stop later.
  const stopAt = tolerance * counted * Math.min(1, constant);
  let found: Float64Array = new Float64Array(labels * rank);
  for (const factor of factors) {
    const objective = objectiveOf({ ...problem, precision: factor * weightPrecision });
    found = await minimize(objective, found, stopAt, afterStep);
    const [weight, bias] = [new Float64Array(labels * hidden), new Float64Array(labels)];
    for (let label = 0; label < labels; label++) {
      for (let k = 0; k < rank; k++) {
        const part = found[label * rank + k] ?? Number.NaN;
        addAt(weight, label * hidden, basis, k * length, hidden, part);
        addAt(bias, label, basis, k * length + hidden, 1, part * constant);
      }
    }
    yield { weight, bias };
  }
}

/** A fit without a bias, whose prior has mean 0. */
interface Problem {
  /** `[texts, rank]` */
  readonly inputs: Float64Array;
  readonly rank: number;
  readonly labels: number;
  /** `[texts, labels]` */
  readonly offsets: Float64Array;
  /** `[texts, labels]` */
  readonly targets: Float64Array;
  /** `[texts]` */
  readonly textWeights: Float64Array;
  readonly precision: number;
}

/** Returns the penalized cross entropy as a function of weights `[labels, rank]`. */
const objectiveOf = (problem: Problem): Objective => ({
  evaluate: evaluatorOf(problem),
  precondition: preconditionerOf(problem),
});

function evaluatorOf({
  inputs,
  rank,
  labels,
  offsets,
  targets,
  textWeights,
  precision,
}: Problem): Objective["evaluate"] {
  const logits = new Float64Array(labels);
  return (weight, gradient) => {
    let value = (precision / 2) * dot(weight, weight);
    for (const [i, number] of weight.entries()) gradient[i] = precision * number;
    for (const [text, textWeight] of textWeights.entries()) {
      let greatest = Number.NEGATIVE_INFINITY;
      for (let label = 0; label < labels; label++) {
        const product = dotAt(weight, label * rank, inputs, text * rank, rank);
        const logit = product + (offsets[text * labels + label] ?? Number.NaN);
        logits[label] = logit;
        greatest = Math.max(greatest, logit);
      }
      // Subtracting the greatest keeps the exponentials from overflowing.
      let sum = 0;
      for (const logit of logits) sum += Math.exp(logit - greatest);
      const logSum = greatest + Math.log(sum);
      for (let label = 0; label < labels; label++) {
        const logScore = (logits[label] ?? Number.NaN) - logSum;
        const target = targets[text * labels + label] ?? Number.NaN;
        value -= textWeight * target * logScore;
        addAt(gradient, label * rank, inputs, text * rank, rank, textWeight * (Math.exp(logScore) - target));
      }
    }
    return value;
  };
}

/** Returns what multiplies by the inverse Hessian that the problem has where all labels are equally likely. */
function preconditionerOf({ inputs, rank, labels, textWeights, precision }: Problem): Objective["precondition"] {
  const curvature = (1 - 1 / labels) / labels;
  const hessian = new Float64Array(rank * rank);
  for (const [text, textWeight] of textWeights.entries()) {
    for (let k = 0; k < rank; k++) {
      const factor = textWeight * curvature * (inputs[text * rank + k] ?? Number.NaN);
      addAt(hessian, k * rank, inputs, text * rank, k + 1, factor);
    }
  }
  for (let k = 0; k < rank; k++) hessian[k * rank + k] = (hessian[k * rank + k] ?? Number.NaN) + precision;
  const factor = choleskyFactor(hessian, rank);
  return (vector) => {
    for (let label = 0; label < labels; label++) solveInPlace(factor, vector, label * rank, rank);
  };
}
