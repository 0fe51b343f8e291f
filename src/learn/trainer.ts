import { notFiniteError } from "../model/head.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import { packLabelBias, readLabelBias } from "../profiles/label-bias.ts";
import { packMasks, unpackMasks } from "../profiles/masks.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { type HeldOutResult, heldOutResult } from "./cross-validation.ts";
import { fitLabelBias } from "./fit-label-bias.ts";
import type { Gradients } from "./gradients.ts";
import { estimateReadMs, type WorkTracker } from "./progress.ts";
import type { Random } from "./random.ts";
import { type LabelledText, type PreparedText, type Start, scoreTexts, type TextReader } from "./reader.ts";
import { RECIPE } from "./recipe.ts";
import { startTrainingRun, type TrainedParts, type TrainingRun } from "./training-run.ts";

/** What learning is done with. */
export interface TrainerParts extends TextReader {
  readonly pool: AdapterPool;
  readonly gradients: Gradients;
  readonly firstLayer: number;
}

/** Whoever learns from the texts of one start. */
export interface Trainer {
  readonly labels: number;
  textsOf(numbers: readonly number[]): PreparedText[];
  startRun(texts: readonly PreparedText[]): TrainingRun;
  /** How texts are answered under what was learnt, as they would be served. */
  evaluate(lesson: TrainedParts, texts: readonly LabelledText[], work: WorkTracker): Promise<HeldOutResult[]>;
  /** The likeliest label bias of all texts; or masks, and one beside them, after so many passes. */
  learnAll(passes: number, work: WorkTracker): Promise<TrainedParts>;
  partsOf(lesson: TrainedParts): ProfileParts;
  /** What is left of a label bias, beside the start's own, in the steps that it is stored in, `[labels]`. */
  servedBias(bias: Float64Array): Float64Array;
}

/** Makes whoever learns; what it learns is added to the start. */
export function createTrainer(
  parts: TrainerParts,
  start: Start,
  texts: readonly PreparedText[],
  passes: number,
  random: Random,
): Trainer {
  const { pool, gradients, firstLayer, task } = parts;
  const { size, chosen } = pool.pool;
  const shape = { layers: pool.layers, size, chosen };
  const labels = task.labels.length;
  const adapters = unpackMasks(start.parts.masks, shape);
  const kept = adapters.subarray(0, 2 * firstLayer * chosen);
  const own = adapters.subarray(kept.length);
  // What is learnt is added to the start's label bias, as if that were the head's.
  const given = start.parts.labelBias ? readLabelBias(start.parts.labelBias, labels) : new Float32Array(labels);
  const head = task.head.slice();
  for (const [label, value] of given.entries()) {
    const at = head.length - labels + label;
    head[at] = (head[at] ?? Number.NaN) + value;
  }
  const startRun = (some: readonly PreparedText[]) =>
    startTrainingRun({ pool, gradients, firstLayer, head, labels }, some, own, passes, random);
  const packed = (bias: Float64Array) => packLabelBias(bias.map((value, label) => value + (given[label] ?? 0)));
  const partsOf = ({ adapters: learnt, bias }: TrainedParts): ProfileParts => ({
    masks: packMasks([...kept, ...learnt], shape),
    labelBias: packed(bias),
  });
  const none = new Float64Array(labels);
  return {
    labels,
    startRun,
    partsOf,
    servedBias(bias) {
      const blob = packed(bias);
      const served = blob ? readLabelBias(blob, labels) : none;
      return Float64Array.from(served, (value, label) => value - (given[label] ?? 0));
    },
    async evaluate(lesson, some, work) {
      const answers = await scoreTexts(parts, partsOf(lesson), some, work);
      return answers.map((answer) => heldOutResult(answer, none));
    },
    textsOf: (numbers) => numbers.flatMap((number) => texts[number] ?? []),
    async learnAll(rounds, work) {
      if (rounds === 0) return { adapters: own, bias: fitLabelBias(texts, labels, RECIPE.biasSpread) };
      const whole = startRun(texts);
      await runPasses(whole, texts, { passes: rounds }, work);
      return whole.trained();
    },
  };
}

/** Passes of a course, reported as they are done. @param range.before passes of the phase that other courses took */
export async function runPasses(
  course: TrainingRun,
  texts: readonly PreparedText[],
  { passes, before = 0 }: { passes: number; before?: number },
  work: WorkTracker,
): Promise<void> {
  // In an order of its own: each text is taken for one of mean length.
  const ms = texts.reduce((sum, { text }) => sum + estimateReadMs(text.ids.length), 0) / texts.length;
  for (let pass = 0; pass < passes; pass++) {
    let sum = 0;
    await course.pass(pass, async (loss) => {
      sum += loss;
      await work.afterText(ms);
    });
    // Masks of logits that are no numbers would be any masks.
    if (!Number.isFinite(sum)) throw notFiniteError();
    work.at({ pass: before + pass + 1, loss: sum / texts.length });
  }
}
