import { type MaskedSizes, maskShapeOf } from "../profiles/masks.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { headShapeOf } from "../profiles/profile-head.ts";
import { textKey } from "../text/text-key.ts";
import { chooseCandidate, evaluateCandidates, type Learnt } from "./candidates.ts";
import { chooseStart } from "./choose-start.ts";
import { type Fold, type HeldOutScore, heldOutScore, isSignificant, makeFolds, mean } from "./cross-validation.ts";
import { withInitialMasks } from "./initial-masks.ts";
import { estimateFitMs, estimateReadMs, estimateTrainingMs, type LearnHooks, trackWork } from "./progress.ts";
import { createRandom } from "./random.ts";
import { type LabelledText, readAgainMs, readResiduals, readTexts, type Start } from "./reader.ts";
import { RECIPE } from "./recipe.ts";
import { halvingRounds } from "./successive-halving.ts";
import { createTrainer, type TrainerParts } from "./trainer.ts";

/** What to learn from. */
export interface LearnInput {
  /** Two or more different texts, with two labels or more. */
  readonly texts: readonly LabelledText[];
  /** With different masks. The first one is used, unless another explains the texts clearly better. */
  readonly starts: readonly [Start, ...Start[]];
  /** How far the task's profiles spread around its head. */
  readonly spread: number;
  /** Passes over the texts that train masks, where the task uses masks. */
  readonly passes: number;
  /** A whole number of 32 bits: the same seed gives the same profile. */
  readonly seed: number;
}

/** A profile that was learnt. */
export interface LearnResult {
  readonly parts: ProfileParts;
  /** The pool that its masks choose from: the task's own or the bundle's. */
  readonly pool: MaskedSizes["pool"];
  /** Id of the profile that it started from; null for the task's default. */
  readonly start: string | null;
  /** The candidate that was chosen. */
  readonly kept: Learnt;
  /** Passes that trained its masks; 0 if they are the start's. */
  readonly passes: number;
  /** How held-out texts were answered. */
  readonly leftOut: {
    readonly texts: number;
    readonly start: HeldOutScore;
    readonly learnt: HeldOutScore;
    /** Whether the profile is better than its start by more than chance. */
    readonly trusted: boolean;
    /** Whether the profile is better than its start: `trusted`, or its loss is lower and its accuracy is not. */
    readonly gained: boolean;
  };
}

/**
 * Learns a profile: chooses its start, finds out by cross-validation whether a head (label bias and head change) or masks
 * help more, then trains these on all texts.
 *
 * Masks are trained only where the task uses masks: it has a pool of its own, or a start has masks. Only those of the
 * bundle's last layers are trained; those before stay the start's. From a start without masks, random ones are trained.
 *
 * @throws XpeftError `learning_too_long`, `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`; and
 * the signal's reason
 */
export async function learn(parts: TrainerParts, input: LearnInput, hooks: LearnHooks): Promise<LearnResult> {
  const random = createRandom(input.seed);
  const groups = random.shuffled(groupByText(input.texts));
  const folds = makeFolds(groups);
  const firsts = groups.slice(0, RECIPE.heldOutTexts).map(([first]) => first);
  const work = trackWork(estimateMs(parts, input, folds, firsts), hooks);

  const known = await readTexts(parts, input.texts, work);
  const startTexts = firsts.flatMap((first) => known[first] ?? []);
  const chosen = await chooseStart(parts, triedStarts(parts, input), startTexts, work);
  const shape = maskShapeOf(parts.pool);
  const start = withInitialMasks(chosen, shape, random);
  const texts = await readResiduals(parts, start, known, work);
  const trainer = createTrainer(parts, start, texts, input.spread, random);
  const candidates = await evaluateCandidates(trainer, folds, maskPasses(parts, input), work);

  const { baseline, head, masks } = candidates;
  const winner = chooseCandidate(candidates);
  const passes = winner.kind === "masks" ? input.passes : 0;
  const learntResults = [head, ...(masks ? [masks] : [])].map(({ results }) => results);
  work.report({ phase: "all", pass: 0, passes });
  const everyText = texts.map((_, number) => number);
  const trained = await (passes > 0
    ? trainer.trainMasks(everyText, { passes }, work)
    : trainer.trainHead(everyText, work));
  const [before, after] = [heldOutScore(baseline.results), heldOutScore(winner.results)];
  // After the training, because both draw from the same random numbers.
  const trusted = isSignificant(baseline.results, winner.results, learntResults, random);
  return {
    parts: trained,
    pool: { firstLayer: shape.firstLayer, size: shape.size, chosen: shape.chosen },
    start: start.profile,
    kept: winner.kind,
    passes,
    leftOut: {
      texts: winner.results.length,
      start: before,
      learnt: after,
      trusted,
      gained: trusted || (after.loss < before.loss && after.accuracy >= before.accuracy),
    },
  };
}

/** Returns the first start, and those of the others that are tried. */
function triedStarts({ reader }: TrainerParts, { starts: [first, ...others] }: LearnInput): LearnInput["starts"] {
  return [first, ...(reader.sharesTrunk ? others : others.slice(0, RECIPE.wholeReadings))];
}

/** Returns the passes that train masks; 0 where the task uses none, because training has found that they do not help. */
function maskPasses({ taskAdapter }: TrainerParts, { starts, passes }: LearnInput): number {
  return taskAdapter?.pool || starts.some(({ parts }) => parts.masks.length > 0) ? passes : 0;
}

/** Returns the numbers of texts, grouped by equal texts. */
function groupByText(texts: readonly LabelledText[]): [number, ...number[]][] {
  const groups = new Map<string, [number, ...number[]]>();
  for (const [number, { text }] of texts.entries()) {
    const key = textKey(text);
    const group = groups.get(key);
    if (group) group.push(number);
    else groups.set(key, [number]);
  }
  return [...groups.values()];
}

/** Returns the estimated milliseconds of a learning that runs to its end. */
function estimateMs(parts: TrainerParts, input: LearnInput, folds: readonly Fold[], firsts: readonly number[]): number {
  const { pool, reader, firstLayer } = parts;
  const { texts } = input;
  const starts = triedStarts(parts, input);
  const startTexts = firsts.flatMap((first) => texts[first] ?? []);
  const sumOnce = reader.sharesTrunk ? texts.reduce((sum, { text }) => sum + estimateReadMs(text.ids.length), 0) : 0;
  const meanAgainMs = (some: readonly LabelledText[]) =>
    mean(some.map(({ text }) => readAgainMs(reader, text.ids.length)));
  const trainingMs = mean(texts.map(({ text }) => estimateTrainingMs(text.ids.length, pool.layers, firstLayer)));
  const rounds = halvingRounds(starts.length - 1, firsts.length);
  const reads = rounds.reduce((sum, round) => sum + (1 + round.known) * round.texts, 0);
  const heldOut = folds.reduce((sum, fold) => sum + fold.heldOut.length, 0);
  const trained = folds.reduce((sum, fold) => sum + fold.train.length, texts.length);
  const again = reads * meanAgainMs(startTexts) + (texts.length + heldOut) * meanAgainMs(texts);
  const passes = maskPasses(parts, input);
  const { hidden, labels } = headShapeOf(parts.task);
  const fits = [...folds.map(({ train }) => train.length), texts.length].reduce(
    (sum, count) => sum + estimateFitMs({ texts: count, hidden, labels }),
    0,
  );
  return sumOnce + again + passes * trained * trainingMs + fits;
}
