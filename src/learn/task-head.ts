import { dot, dotAt } from "../lib/vectors.ts";
import { fitHeads, type HeadFit, type LinearHead, SMALLEST_NORM } from "./fit-head.ts";
import { bestScale, type HeldOutLogits } from "./held-out-scores.ts";
import type { Random } from "./random.ts";
import { FOLDS, stratifiedFolds } from "./task-folds.ts";

/** Labelled texts as features. */
export interface TaskFeatures {
  /** `[texts, hidden]` */
  readonly features: Float32Array;
  readonly hidden: number;
  /** The target probability of each label, one `[labels]` a text. */
  readonly targets: readonly Float64Array[];
  /** How many examples have each text. */
  readonly counts: readonly number[];
  readonly labels: number;
}

/** A head for all texts, and how texts were answered that were held out meanwhile. */
export interface TaskHead {
  readonly head: LinearHead<Float64Array>;
  /** Precision of the weights' prior, for features whose mean square norm is 1. */
  readonly precision: number;
  /** What the logits are multiplied by so that scores are calibrated; the head has it. */
  readonly scale: number;
  /** Before they are multiplied, in no order. */
  readonly heldOut: readonly HeldOutLogits[];
}

/** Precisions of the weights' prior, for features whose mean square norm is 1. */
const PRECISIONS = [3, 1, 0.3, 0.1, 0.03, 0.01] as const;

/** Fits of a cross-validation with {@link FOLDS} folds, and the one on all texts. */
export const FITS: number = FOLDS * PRECISIONS.length + 1;

/** A looser search changes no held-out answer, and takes half the time. */
const TOLERANCE = 1e-4;

/**
 * Returns the head of a task. The precision of the prior is the one with the least cross entropy of held-out texts,
 * each at its best scale: strong priors give good answers with low scores, and the scale makes up for that.
 *
 * @param random shuffles the texts before they are dealt to the folds
 * @param hooks.afterStep is awaited after each step of a fit to some texts
 * @param hooks.afterFit is awaited after each of at most {@link FITS} fits
 */
export async function fitTaskHead(
  parts: TaskFeatures,
  random: Random,
  hooks: { afterStep(texts: number): Promise<void>; afterFit(texts: number): Promise<void> },
): Promise<TaskHead> {
  const { inputs, toRaw } = standardize(parts);
  const { targets, counts, hidden } = parts;
  const fitAll = async (texts: readonly number[], precisions: readonly number[]) => {
    const heads: LinearHead<Float64Array>[] = [];
    const fit = fitOf({ ...parts, features: inputs }, texts);
    for await (const head of fitHeads(fit, precisions, TOLERANCE, () => hooks.afterStep(texts.length))) {
      heads.push(head);
      await hooks.afterFit(texts.length);
    }
    return heads;
  };
  const held = PRECISIONS.map((): HeldOutLogits[] => []);
  const folds = stratifiedFolds(
    targets.map((target) => target.indexOf(Math.max(...target))),
    random,
  );
  for (const { train, heldOut } of folds) {
    for (const [index, head] of (await fitAll(train, PRECISIONS)).entries()) {
      const logits = heldOut.map((text) => ({
        logits: logitsOf(head, inputs, text, hidden),
        target: targets[text] as Float64Array,
        count: counts[text] ?? Number.NaN,
      }));
      held[index]?.push(...logits);
    }
  }
  const candidates = PRECISIONS.map((precision, index) => {
    const heldOut = held[index] ?? [];
    return { precision, heldOut, ...bestScale(heldOut) };
  });
  const best = candidates.reduce((least, next) => (next.loss < least.loss ? next : least));
  const [head] = await fitAll([...targets.keys()], [best.precision]);
  return { ...best, head: toRaw(head as LinearHead<Float64Array>, best.scale) };
}

/** Returns the fit of some texts under a prior of precision 1 on weights and biases. */
function fitOf(
  { features, hidden, targets, counts, labels }: Omit<TaskFeatures, "features"> & { features: Float64Array },
  texts: readonly number[],
): HeadFit {
  return {
    features: Float64Array.from(texts.flatMap((text) => [...features.subarray(text * hidden, (text + 1) * hidden)])),
    hidden,
    targets: texts.flatMap((text) => [...(targets[text] ?? [])]),
    labels,
    sampleWeights: texts.map((text) => counts[text] ?? Number.NaN),
    weightPrecision: 1,
    biasPrecision: 1,
  };
}

/** Returns a text's logits. @param features `[texts, hidden]` */
function logitsOf(head: LinearHead<Float64Array>, features: Float64Array, text: number, hidden: number): number[] {
  return Array.from(
    head.bias,
    (bias, label) => bias + dotAt(head.weight, label * hidden, features, text * hidden, hidden),
  );
}

/**
 * Returns features with mean 0 and a mean square norm of 1, so that one range of precisions fits every encoder; and what
 * gives raw features the logits that a head gives these, times a scale.
 */
function standardize({ features, hidden }: Pick<TaskFeatures, "features" | "hidden">) {
  const texts = features.length / hidden;
  const mean = new Float64Array(hidden);
  for (const [i, value] of features.entries()) mean[i % hidden] = (mean[i % hidden] ?? Number.NaN) + value / texts;
  const centred = Float64Array.from(features, (value, i) => value - (mean[i % hidden] ?? Number.NaN));
  const norm = Math.max(Math.sqrt(dot(centred, centred) / texts), SMALLEST_NORM);
  const toRaw = ({ weight, bias }: LinearHead<Float64Array>, scale: number): LinearHead<Float64Array> => {
    const raw = weight.map((value) => (scale * value) / norm);
    return {
      weight: raw,
      bias: bias.map((value, label) => scale * value - dotAt(raw, label * hidden, mean, 0, hidden)),
    };
  };
  return { inputs: centred.map((value) => value / norm), toRaw };
}
