import type { ProfileParts } from "../profiles/profile.ts";
import { type Candidate, chooseCandidate, evaluateCandidates } from "./candidates.ts";
import { chooseStart, halvingRounds } from "./choose-start.ts";
import { type Fold, type HeldOutScore, heldOutScore, isSignificant, makeFolds } from "./cross-validation.ts";
import { textKey } from "./examples.ts";
import { estimateReadMs, type LearnHooks, trackWork } from "./progress.ts";
import { createRandom } from "./random.ts";
import { type LabelledText, readResiduals, type Start } from "./reader.ts";
import { RECIPE } from "./recipe.ts";
import { createTrainer, type TrainerParts } from "./trainer.ts";

/** What is to be learnt. */
export interface LearnInput {
  /** Two or more that are not the same, with two labels or more. */
  readonly texts: readonly LabelledText[];
  /** The first is taken, unless another explains the texts clearly better. */
  readonly starts: readonly [Start, ...Start[]];
  /** Times that each text is read. */
  readonly passes: number;
  /** A whole number of 32 bits: the same gives the same profile. */
  readonly seed: number;
}

/** A profile that was learnt. */
export interface LearnResult {
  readonly parts: ProfileParts;
  /** Id of the profile that it started from; null for the task's default. */
  readonly start: string | null;
  readonly kept: Candidate["kept"];
  /** Passes that its masks took; 0 where they are the start's. */
  readonly passes: number;
  /** How texts were answered that were left out meanwhile. */
  readonly leftOut: {
    readonly texts: number;
    readonly start: HeldOutScore;
    readonly learnt: HeldOutScore;
    /** Whether the profile is ahead of its start by more than chance. */
    readonly trusted: boolean;
  };
}

/**
 * Learns a profile: chooses its start, finds out on left-out texts whether a label bias and masks of its own help, and learns these
 * from all texts.
 *
 * Only the masks of the bundle's last layers are learnt; those before stay the start's.
 *
 * @throws XpeftError `learning_too_long`, `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`; and what
 * ends the signal
 */
export async function learn(parts: TrainerParts, lessons: LearnInput, hooks: LearnHooks): Promise<LearnResult> {
  const random = createRandom(lessons.seed);
  const groups = random.shuffled(groupsOf(lessons.texts));
  const folds = makeFolds(groups);
  const tried = groups.slice(0, RECIPE.leftOut).flatMap(([first]) => lessons.texts[first] ?? []);
  const work = trackWork(msOf(lessons, folds, tried), hooks);

  const start = await chooseStart(parts, lessons.starts, tried, work);
  const texts = await readResiduals(parts, start, lessons.texts, work);
  const pupil = createTrainer(parts, start, texts, lessons.passes, random);
  const ways = await evaluateCandidates(pupil, folds, lessons.passes, work);

  const way = chooseCandidate(ways);
  const others = ways.others.map(({ trials }) => trials);
  work.at({ phase: "all", pass: 0, passes: way.passes });
  return {
    parts: way.kept === "start" ? start.parts : pupil.partsOf(await pupil.learnAll(way.passes, work)),
    start: start.profile,
    kept: way.kept,
    passes: way.passes,
    leftOut: {
      texts: way.trials.length,
      start: heldOutScore(ways.start.trials),
      learnt: heldOutScore(way.trials),
      trusted: way !== ways.start && isSignificant(ways.start.trials, way.trials, others, random),
    },
  };
}

/** Numbers of texts that are the same, together. */
function groupsOf(texts: readonly LabelledText[]): [number, ...number[]][] {
  const groups = new Map<string, [number, ...number[]]>();
  for (const [number, { text }] of texts.entries()) {
    const key = textKey(text);
    const group = groups.get(key);
    if (group) group.push(number);
    else groups.set(key, [number]);
  }
  return [...groups.values()];
}

/** Milliseconds that a learning takes if it goes all the way, about. */
function msOf(lessons: LearnInput, folds: readonly Fold[], tried: readonly LabelledText[]): number {
  const { texts, starts, passes } = lessons;
  const msOfAll = (some: readonly LabelledText[]) =>
    some.reduce((sum, { text }) => sum + estimateReadMs(text.ids.length), 0);
  const rounds = halvingRounds(starts.length - 1, tried.length);
  const reads = rounds.reduce((sum, round) => sum + (1 + round.known) * round.texts, 0);
  const choosing = (reads / tried.length) * msOfAll(tried);
  const whole = msOfAll(texts);
  const mean = whole / texts.length;
  const inFolds = folds.map(({ train, heldOut }) => mean * (passes * train.length + heldOut.length));
  return choosing + whole + inFolds.reduce((sum, ms) => sum + ms, 0) + passes * whole;
}
