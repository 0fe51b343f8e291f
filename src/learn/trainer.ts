import { notFinite } from "../model/head.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import { packLabelBias, readLabelBias } from "../profiles/label-bias.ts";
import { packMasks, unpackMasks } from "../profiles/masks.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { type Trial, trialOf } from "./cross-validation.ts";
import { fitLabelBias } from "./fit-label-bias.ts";
import type { Gradients } from "./gradients.ts";
import { readMs, type Work } from "./progress.ts";
import type { Random } from "./random.ts";
import { answerUnder, type Reader, type Start, type StartedText, type TargetedText } from "./reader.ts";
import { RECIPE } from "./recipe.ts";
import { type Course, type Lesson, startCourse } from "./training-run.ts";

/** What learning is done with. */
export interface LearningParts extends Reader {
  readonly pool: AdapterPool;
  readonly gradients: Gradients;
  readonly firstLayer: number;
}

/** Whoever learns from the texts of one start. */
export interface Pupil {
  readonly labels: number;
  textsOf(numbers: readonly number[]): StartedText[];
  course(texts: readonly StartedText[]): Course;
  /** How texts are answered under what was learnt, as they would be served. */
  tryOn(lesson: Lesson, texts: readonly TargetedText[], work: Work): Promise<Trial[]>;
  /** The likeliest label bias of all texts; or masks, and one beside them, after so many passes. */
  learnAll(passes: number, work: Work): Promise<Lesson>;
  partsOf(lesson: Lesson): ProfileParts;
  /** What is left of a label bias, beside the start's own, in the steps that it is stored in, `[labels]`. */
  servedBias(bias: Float64Array): Float64Array;
}

/** Makes whoever learns; what it learns is added to the start. */
export function createPupil(
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
    async learnAll(rounds, work) {
      if (rounds === 0) return { adapters: own, bias: fitLabelBias(texts, labels, RECIPE.biasSpread) };
      const whole = course(texts);
      await runPasses(whole, texts, { passes: rounds }, work);
      return whole.lesson();
    },
  };
}

/** Passes of a course, reported as they are done. @param range.before passes of the phase that other courses took */
export async function runPasses(
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
