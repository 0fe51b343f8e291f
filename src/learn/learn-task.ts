import type { Bundle } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";
import { freeNumbers } from "../lib/floats.ts";
import { notFiniteError } from "../model/head.ts";
import type { Reader } from "../model/reader.ts";
import { MIN_TOKENS } from "../profiles/file-format.ts";
import type { NewTask } from "../profiles/task.ts";
import type { TokenizedText, Tokenizer } from "../text/tokenizer.ts";
import type { HeldOutScore } from "./cross-validation.ts";
import { type Example, encodeExamples } from "./examples.ts";
import { type Abstention, summarizeHeldOut } from "./held-out-scores.ts";
import {
  estimateReadMs,
  estimateSearchMs,
  estimateStepMs,
  type LearnHooks,
  type LearnProgress,
  trackWork,
  type WorkTracker,
} from "./progress.ts";
import { createRandom } from "./random.ts";
import type { LearnSlot } from "./slot.ts";
import { groupTaskTexts, readTaskLabels, type TaskText } from "./task-examples.ts";
import { FITS, fitTaskHead } from "./task-head.ts";

/** What a task is learnt from. */
export interface LearnTaskRequest {
  readonly name: string;
  /** Texts may be the same; their labels follow the rule for labels. */
  readonly examples: readonly Example[];
  /** The task's labels in their order; without them, those of the examples in order of first appearance. */
  readonly labels?: readonly string[] | undefined;
  /** The most tokens that the task reads of a text; without it, what {@link lengthFor} gives. */
  readonly maxTokens?: number | undefined;
  /** Of the cross-validation's folds: a whole number of 32 bits; 0 by default. */
  readonly seed?: number | undefined;
  /** What answers at or above the proposed score should reach, 0 to 1; {@link TARGET_ACCURACY} by default. */
  readonly targetAccuracy?: number | undefined;
}

/** The progress of learning a task. */
export interface LearnTaskProgress extends Pick<LearnProgress, "done" | "secondsLeft"> {
  /** Reading the texts; fitting heads, first for the cross-validation. */
  readonly phase: "reading" | "fitting";
}

/** What the caller of a task's learning provides. */
export interface LearnTaskHooks extends Omit<LearnHooks, "onProgress"> {
  /** Receives the progress as {@link LearnHooks.onProgress} does. */
  onProgress(progress: LearnTaskProgress): Promise<void>;
}

/** A task that was learnt, and how it answered texts that were held out meanwhile. */
export interface LearntTask {
  readonly task: NewTask;
  /** Different texts. */
  readonly texts: number;
  readonly heldOut: HeldOutScore & {
    /** Accuracy of answering the most frequent label. */
    readonly majority: number;
    /** Mean distance of score and accuracy, over ten bins of scores. */
    readonly calibrationError: number;
  };
  readonly abstention: Abstention;
}

/**
 * Learns a new task: a head on the encoder's features, without adapters and masks. One learning runs at a time, and
 * texts of other requests are read between its own.
 *
 * @throws XpeftError `learning_busy`; `too_few_examples`, `too_many_examples`, `unknown_label`, `one_label` or
 * `empty_text`; `mismatched_write` if the encoder reads fewer tokens; `learning_too_long`; `bundle_unusable`; and the
 * signal's reason
 */
export type LearnTask = (request: LearnTaskRequest, hooks: LearnTaskHooks) => Promise<LearntTask>;

/** What a task's learner needs: parts of an engine. */
export interface TaskLearnerParts {
  readonly bundle: Bundle;
  readonly tokenizer: Tokenizer;
  readonly reader: Reader;
  readonly slot: LearnSlot;
}

/** The target accuracy of answers, unless the caller says another. */
export const TARGET_ACCURACY = 0.9;

/** Later texts may be longer than the examples. */
const LENGTH_MARGIN = 2;
const LENGTH_STEP = 16;
const SHORTEST = 32;

const NO_ADAPTERS = { masks: new Uint8Array(), taskAdapter: null };

/** Creates what learns tasks. */
export function createTaskLearner({ bundle, tokenizer, reader, slot }: TaskLearnerParts): LearnTask {
  const { manifest } = bundle;

  /** Returns the features of texts, `[texts, hidden]`. */
  async function readAll(texts: readonly TaskText[], work: WorkTracker): Promise<Float32Array> {
    const all = new Float32Array(texts.length * manifest.hidden);
    for (const [index, { text }] of texts.entries()) {
      const { features, residual } = await reader.readToLearn(text, NO_ADAPTERS);
      if (!features.every(Number.isFinite)) throw notFiniteError();
      all.set(features, index * manifest.hidden);
      freeNumbers(residual);
      await work.afterText(estimateReadMs(text.ids.length));
    }
    return all;
  }

  return async ({ name, examples, labels: given, seed = 0, targetAccuracy = TARGET_ACCURACY, ...request }, hooks) => {
    const { labels, indices } = readTaskLabels(examples, given);
    if (request.maxTokens !== undefined && request.maxTokens > manifest.maxTokens) {
      const message = `The task would read ${request.maxTokens} tokens; the bundle's limit is ${manifest.maxTokens}.`;
      throw new XpeftError("mismatched_write", message, { reason: "length" });
    }
    const encoded = encodeExamples(examples, tokenizer, request.maxTokens ?? manifest.maxTokens);
    const maxTokens = request.maxTokens ?? lengthFor(encoded, manifest.maxTokens);
    const texts = groupTaskTexts(encoded, indices, labels);
    return await slot.run(async (isAlive) => {
      const onProgress: LearnHooks["onProgress"] = async ({ phase, done, secondsLeft }) => {
        isAlive();
        await hooks.onProgress({ phase: phase === "start" ? "reading" : "fitting", done, secondsLeft });
      };
      const sizesOf = (count: number) => ({ texts: count, hidden: manifest.hidden, labels: labels.length });
      const readMs = texts.reduce((sum, { text }) => sum + estimateReadMs(text.ids.length), 0);
      const work = trackWork(readMs + FITS * estimateSearchMs(sizesOf(texts.length)), { ...hooks, onProgress });
      const parts = {
        features: await readAll(texts, work),
        hidden: manifest.hidden,
        targets: texts.map(({ target }) => target),
        counts: texts.map(({ count }) => count),
        labels: labels.length,
      };
      work.report({ phase: "left-out" });
      const { head, scale, heldOut } = await fitTaskHead(parts, createRandom(seed), {
        afterStep: (count) => work.afterPart(estimateStepMs(sizesOf(count))),
        afterFit: (count) => work.afterText(estimateSearchMs(sizesOf(count))),
      });
      const { score, calibrationError, abstention } = summarizeHeldOut(heldOut, scale, targetAccuracy);
      const majority = Math.max(...labels.map((_, label) => indices.filter((index) => index === label).length));
      return {
        task: {
          name,
          bundle: bundle.id,
          labels,
          maxTokens,
          head: Float32Array.from([...head.weight, ...head.bias]),
          masks: NO_ADAPTERS.masks,
          adapter: null,
        },
        texts: texts.length,
        heldOut: { ...score, majority: majority / examples.length, calibrationError },
        abstention,
      };
    });
  };
}

/** Returns how many tokens a task reads whose examples are these texts. @param limit the encoder's */
function lengthFor(texts: readonly TokenizedText[], limit: number): number {
  const longest = texts.reduce((most, { ids }) => Math.max(most, ids.length), MIN_TOKENS);
  return Math.min(limit, Math.max(SHORTEST, LENGTH_STEP * Math.ceil((LENGTH_MARGIN * longest) / LENGTH_STEP)));
}
