import type { ProfileParts } from "../engine.ts";
import { notFinite } from "../head.ts";
import { packLabelBias, readLabelBias } from "../label-bias.ts";
import { packMasks, unpackMasks } from "../masks.ts";
import type { AdapterPool } from "../pool.ts";
import { type Course, type Lesson, startCourse } from "./course.ts";
import { textKey } from "./examples.ts";
import type { Gradients } from "./gradients.ts";
import { fitLabelBias } from "./label-bias.ts";
import { type Fold, foldsOf, isAhead, isTrusted, type Standing, standingOf, type Trial, trialOf } from "./left-out.ts";
import { beginWork, type Hooks, readMs, type Work } from "./progress.ts";
import { createRandom, type Random } from "./random.ts";
import { RECIPE } from "./recipe.ts";
import {
  answerUnder,
  chooseStart,
  type Reader,
  readUnder,
  roundsOf,
  type Start,
  type StartedText,
  type TargetedText,
} from "./start.ts";

/** What is to be learnt. */
export interface Lessons {
  /** Two or more that are not the same, with two labels or more. */
  readonly texts: readonly TargetedText[];
  /** The first is taken, unless another explains the texts clearly better. */
  readonly starts: readonly [Start, ...Start[]];
  /** Times that each text is read. */
  readonly passes: number;
  /** A whole number of 32 bits: the same gives the same profile. */
  readonly seed: number;
}

/** A profile that was learnt. */
export interface Learnt {
  readonly parts: ProfileParts;
  /** Id of the profile that it started from; null for the task's default. */
  readonly start: string | null;
  /** The start as it is; the same with a label bias; or masks of its own with one. */
  readonly kept: "start" | "label-bias" | "masks";
  /** Passes that its masks took; 0 where they are the start's. */
  readonly passes: number;
  /** How texts were answered that were left out meanwhile. */
  readonly leftOut: {
    readonly texts: number;
    readonly start: Standing;
    readonly learnt: Standing;
    /** Whether the profile is ahead of its start by more than chance. */
    readonly trusted: boolean;
  };
}

/** What learning is done with. */
export interface LearningParts extends Reader {
  readonly pool: AdapterPool;
  readonly gradients: Gradients;
  readonly firstLayer: number;
}

/** A way to make the profile, and how it did on left-out texts. */
export interface Way {
  readonly kept: Learnt["kept"];
  readonly passes: number;
  readonly trials: Trial[];
}

/** To leave the start as it is, or to give it a label bias, or masks of its own with one. */
export interface Ways {
  readonly start: Way;
  readonly others: readonly [labelBias: Way, masks: Way];
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
export async function learn(parts: LearningParts, lessons: Lessons, hooks: Hooks): Promise<Learnt> {
  const random = createRandom(lessons.seed);
  const groups = random.shuffled(groupsOf(lessons.texts));
  const folds = foldsOf(groups);
  const tried = groups.slice(0, RECIPE.leftOut).flatMap(([first]) => lessons.texts[first] ?? []);
  const work = beginWork(msOf(lessons, folds, tried), hooks);

  const start = await chooseStart(parts, lessons.starts, tried, work);
  const texts = await readUnder(parts, start, lessons.texts, work);
  const pupil = createPupil(parts, start, texts, lessons.passes, random);
  const ways = await tryWays(pupil, folds, lessons.passes, work);

  const way = chooseWay(ways);
  const others = ways.others.map(({ trials }) => trials);
  work.at({ phase: "all", pass: 0, passes: way.passes });
  return {
    parts: way.kept === "start" ? start.parts : pupil.partsOf(await pupil.learnAll(way, work)),
    start: start.profile,
    kept: way.kept,
    passes: way.passes,
    leftOut: {
      texts: way.trials.length,
      start: standingOf(ways.start.trials),
      learnt: standingOf(way.trials),
      trusted: way !== ways.start && isTrusted(ways.start.trials, way.trials, others, random),
    },
  };
}

/** Masks are kept, unless another way did better by more than chance makes likely: few texts tell little, and masks help more often. */
export function chooseWay({ start, others: [labelBias, masks] }: Ways): Way {
  const lossesOf = ({ trials }: Way) => trials.map(({ loss }) => loss);
  const better = [start, labelBias].filter((way) => isAhead(lossesOf(way), lossesOf(masks), RECIPE.wayLead));
  return better.reduce((best, one) => (standingOf(one.trials).loss < standingOf(best.trials).loss ? one : best), masks);
}

/** Numbers of texts that are the same, together. */
function groupsOf(texts: readonly TargetedText[]): [number, ...number[]][] {
  const groups = new Map<string, [number, ...number[]]>();
  for (const [number, { text }] of texts.entries()) {
    const key = textKey(text);
    const group = groups.get(key);
    if (group) group.push(number);
    else groups.set(key, [number]);
  }
  return [...groups.values()];
}

/** Whoever learns from the texts of one start. */
interface Pupil {
  readonly labels: number;
  textsOf(numbers: readonly number[]): StartedText[];
  course(texts: readonly StartedText[]): Course;
  /** How texts are answered under what was learnt, as they would be served. */
  tryOn(lesson: Lesson, texts: readonly TargetedText[], work: Work): Promise<Trial[]>;
  learnAll(way: Way, work: Work): Promise<Lesson>;
  partsOf(lesson: Lesson): ProfileParts;
  /** What is left of a label bias, beside the start's own, in the steps that it is stored in, `[labels]`. */
  servedBias(bias: Float64Array): Float64Array;
}

function createPupil(
  parts: LearningParts,
  start: Start,
  texts: readonly StartedText[],
  passes: number,
  random: Random,
): Pupil {
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
  const course = (some: readonly StartedText[]) =>
    startCourse({ pool, gradients, firstLayer, head, labels }, some, own, passes, random);
  const packed = (bias: Float64Array) => packLabelBias(bias.map((value, label) => value + (given[label] ?? 0)));
  const partsOf = ({ adapters: learnt, bias }: Lesson): ProfileParts => ({
    masks: packMasks([...kept, ...learnt], shape),
    labelBias: packed(bias),
  });
  const none = new Float64Array(labels);
  return {
    labels,
    course,
    partsOf,
    servedBias(bias) {
      const blob = packed(bias);
      const served = blob ? readLabelBias(blob, labels) : none;
      return Float64Array.from(served, (value, label) => value - (given[label] ?? 0));
    },
    async tryOn(lesson, some, work) {
      const answers = await answerUnder(parts, partsOf(lesson), some, work);
      return answers.map((answer) => trialOf(answer, none));
    },
    textsOf: (numbers) => numbers.flatMap((number) => texts[number] ?? []),
    async learnAll(way, work) {
      if (way.kept !== "masks") return { adapters: own, bias: fitLabelBias(texts, labels, RECIPE.biasSpread) };
      const whole = course(texts);
      await runPasses(whole, texts, { passes: way.passes }, work);
      return whole.lesson();
    },
  };
}

/** Tries what there is to do with a profile on texts that are left out in turn. */
async function tryWays(pupil: Pupil, folds: readonly Fold[], passes: number, work: Work): Promise<Ways> {
  const ways: Ways = {
    start: { kept: "start", passes: 0, trials: [] },
    others: [
      { kept: "label-bias", passes: 0, trials: [] },
      { kept: "masks", passes, trials: [] },
    ],
  };
  const [labelBias, masks] = ways.others;
  const none = new Float64Array(pupil.labels);
  for (const [number, fold] of folds.entries()) {
    const texts = pupil.textsOf(fold.learnt);
    const leftOut = pupil.textsOf(fold.leftOut);
    const bias = pupil.servedBias(fitLabelBias(texts, pupil.labels, RECIPE.biasSpread));
    ways.start.trials.push(...leftOut.map((text) => trialOf(text, none)));
    labelBias.trials.push(...leftOut.map((text) => trialOf(text, bias)));
    const course = pupil.course(texts);
    work.at({ phase: "left-out", passes: passes * folds.length });
    await runPasses(course, texts, { passes, before: number * passes }, work);
    masks.trials.push(...(await pupil.tryOn(course.lesson(), leftOut, work)));
    work.at({ leftOutAccuracy: standingOf(masks.trials).accuracy });
  }
  return ways;
}

/** Passes of a course, reported as they are done. @param range.before passes of the phase that other courses took */
async function runPasses(
  course: Course,
  texts: readonly StartedText[],
  { passes, before = 0 }: { passes: number; before?: number },
  work: Work,
): Promise<void> {
  // In an order of its own: each text is taken for one of mean length.
  const ms = texts.reduce((sum, { text }) => sum + readMs(text.ids.length), 0) / texts.length;
  for (let pass = 0; pass < passes; pass++) {
    let sum = 0;
    await course.pass(pass, async (loss) => {
      sum += loss;
      await work.afterText(ms);
    });
    // Masks of logits that are no numbers would be any masks.
    if (!Number.isFinite(sum)) throw notFinite();
    work.at({ pass: before + pass + 1, loss: sum / texts.length });
  }
}

/** Milliseconds that a learning takes if it goes all the way, about. */
function msOf(lessons: Lessons, folds: readonly Fold[], tried: readonly TargetedText[]): number {
  const { texts, starts, passes } = lessons;
  const msOfAll = (some: readonly TargetedText[]) => some.reduce((sum, { text }) => sum + readMs(text.ids.length), 0);
  const rounds = roundsOf(starts.length - 1, tried.length);
  const reads = rounds.reduce((sum, round) => sum + (1 + round.known) * round.texts, 0);
  const choosing = (reads / tried.length) * msOfAll(tried);
  const whole = msOfAll(texts);
  const mean = whole / texts.length;
  const inFolds = folds.map(({ learnt, leftOut }) => mean * (passes * learnt.length + leftOut.length));
  return choosing + whole + inFolds.reduce((sum, ms) => sum + ms, 0) + passes * whole;
}
