import { softmax } from "../model/head.ts";
import { allocateAdapters } from "../model/merge.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import type { TaskAdapter } from "../profiles/task-adapter.ts";
import { createAdam, rateFactor } from "./adam.ts";
import { mean } from "./cross-validation.ts";
import { fitLabelBias, type ScoredText } from "./fit-label-bias.ts";
import type { Gradients, ResidualText } from "./gradients.ts";
import { createMaskOptimizer } from "./mask-optimizer.ts";
import { estimateTrainingMs } from "./progress.ts";
import type { Random } from "./random.ts";
import { RECIPE } from "./recipe.ts";

/** What a training run needs. */
export interface TrainingRunParts {
  readonly pool: AdapterPool;
  readonly gradients: Gradients;
  /** The first layer of the learning graph. */
  readonly firstLayer: number;
  /** Of all profiles of the task; null if it has none. */
  readonly taskAdapter: TaskAdapter | null;
  /** Weight `[labels, d]`, then bias `[labels]`. */
  readonly head: Float32Array;
  readonly labels: number;
}

/** Masks of the learnt layers and a label bias. */
export interface TrainedParts {
  /** Adapters that the learnt layers' masks choose, `[rows, k]` flat. */
  readonly adapters: Uint16Array;
  /** `[labels]` */
  readonly bias: Float64Array;
}

/** Is awaited after each text, so that other requests can run; an error that it throws ends the run. */
export type AfterText = (loss: number) => Promise<void>;

/** Trains masks and a label bias on some texts. */
export interface TrainingRun {
  /** Estimated milliseconds of a text in a pass. Passes shuffle the texts, so each counts as one of mean length. */
  readonly textMs: number;

  /**
   * Reads every text once, in random order, and steps after every few texts.
   *
   * @param number how many passes came before
   */
  pass(number: number, afterText: AfterText): Promise<void>;

  /** Returns the parts as trained so far. */
  trained(): TrainedParts;
}

/**
 * Starts a training run.
 *
 * @param texts at least one, with their logits under the start
 * @param start.adapters that the learnt layers' masks choose, `[rows, k]` flat
 * @param start.logit their initial logit; others have 0, and each has jitter
 * @param passes how often each text will be read
 */
export function startTrainingRun(
  parts: TrainingRunParts,
  texts: readonly (ResidualText & ScoredText)[],
  start: { readonly adapters: Uint16Array; readonly logit: number },
  passes: number,
  random: Random,
): TrainingRun {
  const { pool, gradients, firstLayer, taskAdapter, head, labels } = parts;
  const { size, chosen } = pool.pool;
  const rows = start.adapters.length / chosen;
  const logits = Float64Array.from({ length: rows * size }, () => RECIPE.jitter * random.normal());
  for (const [position, adapter] of start.adapters.entries()) {
    const index = Math.floor(position / chosen) * size + adapter;
    logits[index] = (logits[index] ?? 0) + start.logit;
  }
  const masks = createMaskOptimizer({ pool, firstLayer, taskAdapter }, logits, RECIPE.tau);
  const adapterGradients = allocateAdapters({ ...pool, layers: pool.layers - firstLayer });
  // The bias starts at the optimum under the start's masks, so that the masks learn what remains.
  const bias = fitLabelBias(texts, labels, RECIPE.biasSpread);
  const biasAdam = createAdam(labels);
  const stepsPerPass = Math.ceil(texts.length / RECIPE.textsPerStep);
  const steps = passes * stepsPerPass;

  async function runStep(batch: readonly ResidualText[], step: number, afterText: AfterText): Promise<void> {
    const strength = RECIPE.noise * (1 - step / steps);
    const adapters = masks.draw(logits.map(() => strength * random.gumbel()));
    adapterGradients.down.fill(0);
    adapterGradients.up.fill(0);
    const biasGradient = bias.map((value) => value / RECIPE.biasSpread ** 2 / texts.length);
    for (const text of batch) {
      const result = await gradients.of(text, adapters, head, Float32Array.from(bias), ({ down, up }) => {
        addMean(adapterGradients.down, down, batch.length);
        addMean(adapterGradients.up, up, batch.length);
      });
      const missed = softmax([...result.logits]).map((score, label) => score - (text.target[label] ?? 0));
      addMean(biasGradient, missed, batch.length);
      await afterText(result.loss);
    }
    const factor = rateFactor((step + 1) / (steps + 1), RECIPE.warmup);
    masks.step(adapterGradients, RECIPE.maskRate * factor);
    biasAdam.step(bias, biasGradient, RECIPE.biasRate * factor);
  }

  const textMs = texts.map(({ residual }) =>
    estimateTrainingMs(residual.length / pool.hidden, pool.layers, firstLayer),
  );
  return {
    textMs: mean(textMs),
    async pass(number, afterText) {
      const order = random.shuffled(texts);
      for (let step = 0; step < stepsPerPass; step++) {
        const batch = order.slice(step * RECIPE.textsPerStep, (step + 1) * RECIPE.textsPerStep);
        await runStep(batch, number * stepsPerPass + step, afterText);
      }
    },
    trained: () => ({ adapters: masks.chosen(), bias: bias.slice() }),
  };
}

/** Adds an n-th of values to sums. */
function addMean(sums: Float32Array | Float64Array, values: ArrayLike<number>, n: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (values[i] ?? Number.NaN) / n;
}
