import { changedHead, labelLogits, notFiniteError } from "../model/head.ts";
import { firstMaskedLayer } from "../model/merge.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import { maskShapeOf, packMasks, unpackMasks } from "../profiles/masks.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { headShapeOf, packProfileHead, readProfileHead } from "../profiles/profile-head.ts";
import { type HeldOutResult, heldOutResult } from "./cross-validation.ts";
import { fitHead, SMALLEST_NORM } from "./fit-head.ts";
import type { Gradients } from "./gradients.ts";
import { denseChange, packChange } from "./head-change.ts";
import { estimateFitMs, estimateRankMs, estimateStepMs, type WorkTracker } from "./progress.ts";
import type { Random } from "./random.ts";
import { type PreparedText, scoreTexts, type TextReader, type TrainingStart } from "./reader.ts";
import { RECIPE } from "./recipe.ts";
import { startTrainingRun } from "./training-run.ts";

/** What a trainer needs. */
export interface TrainerParts extends TextReader {
  readonly pool: AdapterPool;
  readonly gradients: Gradients;
  /** The first layer of the learning graph. */
  readonly firstLayer: number;
}

/** Trains from one start on any of its texts, which have numbers, and returns a profile's parts as they are stored. */
export interface Trainer {
  readonly start: ProfileParts;
  /** Trains a label bias and a head change, under the start's masks. */
  trainHead(numbers: readonly number[], work: WorkTracker): Promise<ProfileParts>;
  /** Trains masks and a label bias. @param range.before passes that other trainings of the phase made */
  trainMasks(
    numbers: readonly number[],
    range: { readonly passes: number; readonly before?: number },
    work: WorkTracker,
  ): Promise<ProfileParts>;
  /** Returns how texts are answered under a profile's parts, as they would be served. */
  evaluate(parts: ProfileParts, numbers: readonly number[], work: WorkTracker): Promise<HeldOutResult[]>;
}

/** Creates a trainer. What it trains is added to the start. @param spread how far profiles are from the task's head */
export function createTrainer(
  parts: TrainerParts,
  start: TrainingStart,
  texts: readonly PreparedText[],
  spread: number,
  random: Random,
): Trainer {
  const { pool, gradients, firstLayer, task, taskAdapter } = parts;
  const shape = maskShapeOf(pool);
  const headShape = headShapeOf(task);
  const { labels, hidden } = headShape;
  const startHead = readProfileHead(start.parts.labelBias ?? new Uint8Array(labels), headShape);
  const { masks } = start.parts;
  const noBias = new Float64Array(labels);
  const textsOf = (numbers: readonly number[]) => numbers.flatMap((number) => texts[number] ?? []);
  const plusStart = (bias: Float64Array) => bias.map((value, label) => value + (startHead.bias[label] ?? Number.NaN));

  return {
    start: start.parts,
    async trainHead(numbers, work) {
      const some = textsOf(numbers);
      const features = some.flatMap((text) => [...text.features]);
      const sizes = { texts: some.length, hidden, labels };
      const { weight, bias } = await fitHead(
        {
          features,
          hidden,
          targets: some.flatMap(({ target }) => [...target]),
          labels,
          // Of the size of the features, so that the precision means the same for every task.
          weightPrecision:
            (RECIPE.headPrecision * Math.max(squares(features) / some.length, SMALLEST_NORM ** 2)) / spread ** 2,
          biasPrecision: spread ** -2,
          offsets: some.flatMap(({ logits }) => Array.from(logits)),
        },
        () => work.afterPart(estimateStepMs(sizes)),
      );
      const dense = denseChange(startHead.change, headShape).map((value, i) => value + (weight[i] ?? Number.NaN));
      const change = await packChange(dense, headShape, () => work.afterPart(estimateRankMs(headShape)));
      await work.afterText(estimateFitMs(sizes));
      return { masks, labelBias: packProfileHead({ ...startHead, bias: plusStart(bias), change }) };
    },
    async trainMasks(numbers, { passes, before = 0 }, work) {
      const some = textsOf(numbers);
      const adapters = unpackMasks(start.initialMasks, shape);
      const frozenLayers = firstMaskedLayer(pool, firstLayer) - shape.firstLayer;
      const frozen = adapters.subarray(0, 2 * frozenLayers * shape.chosen);
      const run = startTrainingRun(
        // Training adds to the start's label bias and head change as if they were the head's.
        { pool, gradients, firstLayer, taskAdapter, head: changedHead(task, startHead), labels },
        some,
        { adapters: adapters.subarray(frozen.length), logit: masks.length > 0 ? RECIPE.startLogit : 0 },
        passes,
        random,
      );
      for (let pass = 0; pass < passes; pass++) {
        let sum = 0;
        await run.pass(pass, async (loss) => {
          sum += loss;
          await work.afterText(run.textMs);
        });
        // Logits that are not finite would make arbitrary masks.
        if (!Number.isFinite(sum)) throw notFiniteError();
        work.report({ pass: before + pass + 1, loss: sum / some.length });
      }
      const trained = run.trained();
      return {
        masks: packMasks([...frozen, ...trained.adapters], shape),
        labelBias: packProfileHead({ ...startHead, bias: plusStart(trained.bias) }),
      };
    },
    async evaluate(trained, numbers, work) {
      const heldOut = textsOf(numbers);
      if (trained.masks !== masks) {
        const scored = await scoreTexts(parts, trained, heldOut, work);
        return scored.map((text) => heldOutResult(text, noBias));
      }
      const head = trained.labelBias && readProfileHead(trained.labelBias, headShape);
      return heldOut.map(({ features, target }) =>
        heldOutResult({ logits: labelLogits(task, head, features), target }, noBias),
      );
    },
  };
}

const squares = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value * value, 0);
