import { changedHead, notFiniteError } from "../model/head.ts";
import { firstMaskedLayer } from "../model/merge.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import { maskShapeOf, packMasks, unpackMasks } from "../profiles/masks.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { headShapeOf, packProfileHead, readLabelBias, readProfileHead } from "../profiles/profile-head.ts";
import { type HeldOutResult, heldOutResult } from "./cross-validation.ts";
import { fitLabelBias } from "./fit-label-bias.ts";
import type { Gradients } from "./gradients.ts";
import type { WorkTracker } from "./progress.ts";
import type { Random } from "./random.ts";
import { type KnownText, type PreparedText, scoreTexts, type TextReader, type TrainingStart } from "./reader.ts";
import { RECIPE } from "./recipe.ts";
import { startTrainingRun, type TrainedParts, type TrainingRun } from "./training-run.ts";

/** What a trainer needs. */
export interface TrainerParts extends TextReader {
  readonly pool: AdapterPool;
  readonly gradients: Gradients;
  /** The first layer of the learning graph. */
  readonly firstLayer: number;
}

/** Trains from one start on any of its texts. */
export interface Trainer {
  readonly labels: number;
  /** Returns texts by their numbers. */
  textsOf(numbers: readonly number[]): PreparedText[];
  /** Starts a training run on some of the texts. */
  startRun(texts: readonly PreparedText[]): TrainingRun;
  /** Returns how texts are answered under trained parts, as they would be served. */
  evaluate(trained: TrainedParts, texts: readonly KnownText[], work: WorkTracker): Promise<HeldOutResult[]>;
  /**
   * Trains on all texts: only a label bias for 0 passes, otherwise masks and a label bias.
   *
   * @returns a profile's parts as they are stored
   */
  trainOnAll(passes: number, work: WorkTracker): Promise<ProfileParts>;
  /** Returns a label bias without the start's, after rounding to the steps of its storage, `[labels]`. */
  servedBias(bias: Float64Array): Float64Array;
}

/** Creates a trainer. What it trains is added to the start. */
export function createTrainer(
  parts: TrainerParts,
  start: TrainingStart,
  texts: readonly PreparedText[],
  passes: number,
  random: Random,
): Trainer {
  const { pool, gradients, firstLayer, task, taskAdapter } = parts;
  const shape = maskShapeOf(pool);
  const labels = task.labels.length;
  const adapters = unpackMasks(start.initialMasks, shape);
  const frozenLayers = firstMaskedLayer(pool, firstLayer) - shape.firstLayer;
  const frozen = adapters.subarray(0, 2 * frozenLayers * shape.chosen);
  const trainable = adapters.subarray(frozen.length);
  const startHead = readProfileHead(start.parts.labelBias ?? new Uint8Array(labels), headShapeOf(task));
  // Training adds to the start's label bias and head change as if they were the head's.
  const head = changedHead(task, startHead);
  const startBias = startHead.bias;
  const startRun = (runTexts: readonly PreparedText[]) =>
    startTrainingRun(
      { pool, gradients, firstLayer, taskAdapter, head, labels },
      runTexts,
      { adapters: trainable, logit: start.parts.masks.length > 0 ? RECIPE.startLogit : 0 },
      passes,
      random,
    );
  const pack = (bias: Float64Array) =>
    packProfileHead({ ...startHead, bias: bias.map((value, label) => value + (startBias[label] ?? 0)) });
  const partsOf = ({ adapters: trained, bias }: TrainedParts): ProfileParts => ({
    masks: packMasks([...frozen, ...trained], shape),
    labelBias: pack(bias),
  });
  const noBias = new Float64Array(labels);
  return {
    labels,
    startRun,
    servedBias(bias) {
      const blob = pack(bias);
      const served = blob ? readLabelBias(blob, labels) : noBias;
      return Float64Array.from(served, (value, label) => value - (startBias[label] ?? 0));
    },
    async evaluate(trained, heldOut, work) {
      const scored = await scoreTexts(parts, partsOf(trained), heldOut, work);
      return scored.map((text) => heldOutResult(text, noBias));
    },
    textsOf: (numbers) => numbers.flatMap((number) => texts[number] ?? []),
    async trainOnAll(allPasses, work) {
      if (allPasses === 0)
        return { masks: start.parts.masks, labelBias: pack(fitLabelBias(texts, labels, RECIPE.biasSpread)) };
      const run = startRun(texts);
      await runPasses(run, texts, { passes: allPasses }, work);
      return partsOf(run.trained());
    },
  };
}

/** Runs and reports passes of a training run. @param range.before passes of the phase that other runs made */
export async function runPasses(
  run: TrainingRun,
  texts: readonly PreparedText[],
  { passes, before = 0 }: { passes: number; before?: number },
  work: WorkTracker,
): Promise<void> {
  for (let pass = 0; pass < passes; pass++) {
    let sum = 0;
    await run.pass(pass, async (loss) => {
      sum += loss;
      await work.afterText(run.textMs);
    });
    // Logits that are not finite would make arbitrary masks.
    if (!Number.isFinite(sum)) throw notFiniteError();
    work.report({ pass: before + pass + 1, loss: sum / texts.length });
  }
}
