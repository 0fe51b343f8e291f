import { softmax } from "../model/head.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import { createAdam, rateFactor } from "./adam.ts";
import { fitLabelBias, type ScoredText } from "./fit-label-bias.ts";
import type { Gradients, ResidualText } from "./gradients.ts";
import { createMaskOptimizer } from "./mask-optimizer.ts";
import type { Random } from "./random.ts";
import { RECIPE } from "./recipe.ts";

/** What a course learns beside. */
export interface TrainingRunParts {
  readonly pool: AdapterPool;
  readonly gradients: Gradients;
  readonly firstLayer: number;
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

/** Is awaited after each text that is read: others get their turn here, and whatever it throws ends the course. */
export type AfterText = (loss: number) => Promise<void>;

/** Learns masks and a label bias from some texts. */
export interface TrainingRun {
  /**
   * Reads every text once, in an order of its own, and learns from them a few at a time.
   *
   * @param number passes before this one
   */
  pass(number: number, afterText: AfterText): Promise<void>;

  /** What has been learnt so far. */
  trained(): TrainedParts;
}

/**
 * Starts a course.
 *
 * @param texts at least one, with their logits under the start
 * @param start adapters that the learnt layers' masks choose, `[rows, k]` flat
 * @param passes times that each text is to be read
 */
export function startTrainingRun(
  parts: TrainingRunParts,
  texts: readonly (ResidualText & ScoredText)[],
  start: Uint16Array,
  passes: number,
  random: Random,
): TrainingRun {
  const { pool, gradients, head, labels } = parts;
  const { size, chosen } = pool.pool;
  const rows = start.length / chosen;
  const logits = Float64Array.from({ length: rows * size }, () => RECIPE.jitter * random.normal());
  for (const [place, adapter] of start.entries()) {
    const at = Math.floor(place / chosen) * size + adapter;
    logits[at] = (logits[at] ?? 0) + RECIPE.headStart;
  }
  const masks = createMaskOptimizer(pool, parts.firstLayer, logits, RECIPE.tau);
  const entries = (rows / 2) * pool.hidden * pool.bottleneck;
  const slopes = { down: new Float32Array(entries), up: new Float32Array(entries) };
  // The likeliest under the start's masks, so that these have the rest to learn.
  const bias = fitLabelBias(texts, labels, RECIPE.biasSpread);
  const biasAdam = createAdam(labels);
  const stepsAPass = Math.ceil(texts.length / RECIPE.textsPerStep);
  const steps = passes * stepsAPass;

  async function learnFrom(group: readonly ResidualText[], step: number, afterText: AfterText): Promise<void> {
    const strength = RECIPE.noise * (1 - step / steps);
    const adapters = masks.draw(logits.map(() => strength * random.gumbel()));
    slopes.down.fill(0);
    slopes.up.fill(0);
    const biasSlopes = bias.map((value) => value / RECIPE.biasSpread ** 2 / texts.length);
    for (const text of group) {
      const found = await gradients.of(text, adapters, head, Float32Array.from(bias), ({ down, up }) => {
        addShare(slopes.down, down, group.length);
        addShare(slopes.up, up, group.length);
      });
      const missed = softmax([...found.logits]).map((score, label) => score - (text.target[label] ?? 0));
      addShare(biasSlopes, missed, group.length);
      await afterText(found.loss);
    }
    const factor = rateFactor((step + 1) / (steps + 1), RECIPE.warmup);
    masks.step(slopes, RECIPE.maskRate * factor);
    biasAdam.step(bias, biasSlopes, RECIPE.biasRate * factor);
  }

  return {
    async pass(number, afterText) {
      const order = random.shuffled(texts);
      for (let step = 0; step < stepsAPass; step++) {
        const group = order.slice(step * RECIPE.textsPerStep, (step + 1) * RECIPE.textsPerStep);
        await learnFrom(group, number * stepsAPass + step, afterText);
      }
    },
    trained: () => ({ adapters: masks.chosen(), bias: bias.slice() }),
  };
}

/** Adds an n-th of some numbers to sums. */
function addShare(sums: Float32Array | Float64Array, values: ArrayLike<number>, n: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (values[i] ?? Number.NaN) / n;
}
