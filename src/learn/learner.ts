import type { ReadFile } from "../bundle/files.ts";
import type { Bundle } from "../bundle/manifest.ts";
import type { ReadAdapter } from "../model/adapter-reader.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import type { Reader } from "../model/reader.ts";
import type { Modules } from "../model/text-parts.ts";
import { onlyKnown, packAmongAll, packOnlyKnown } from "../profiles/known-labels.ts";
import type { HeadShape } from "../profiles/profile-head.ts";
import { checkTask, type TaskParts } from "../profiles/task.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { distinctStarts, namingStart } from "./choose-start.ts";
import { checkExamples, checkTexts, type Example, encodeExamples, MAX_TEXT_TOKENS } from "./examples.ts";
import { type Gradients, openGradients } from "./gradients.ts";
import { type LearnResult, learn } from "./learn.ts";
import type { LearnHooks } from "./progress.ts";
import type { Start } from "./reader.ts";
import { RECIPE } from "./recipe.ts";
import type { LearnSlot } from "./slot.ts";
import { spreadOf } from "./spread.ts";
import { loadTailGradients } from "./tail-gradients.ts";

/** What a profile is learnt from. */
export interface LearnRequest {
  readonly examples: readonly Example[];
  /** The labels that the profile will know, by index, ascending; null for all. Those that a start knows do not matter. */
  readonly known?: readonly number[] | null;
  /** Possible starts: the first is used, unless another explains the examples clearly better. */
  readonly starts: readonly [Start, ...Start[]];
  /** How often each example is read; the recipe's value by default. */
  readonly passes?: number | undefined;
  /** A whole number of 32 bits; 0 by default. */
  readonly seed?: number | undefined;
}

/**
 * Learns a profile; the task's head and the pool do not change. There is one learning at a time, and texts of other
 * requests are read between its own.
 *
 * @throws XpeftError `learning_busy`; `bundle_mismatch` or `invalid_row` if the task does not fit; `too_few_examples`,
 * `too_many_examples`, `unknown_label`, `one_label` or `empty_text`; `learning_too_long`; `invalid_mask` or
 * `invalid_label_bias` if a start does not fit; `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`; and
 * the signal's reason
 */
export type Learn = (task: TaskParts, request: LearnRequest, hooks: LearnHooks) => Promise<LearnResult>;

/** What a learner needs: the parts of an engine. */
export interface LearnerParts {
  readonly bundle: Bundle;
  readonly read: ReadFile;
  readonly modules: Modules;
  readonly tokenizer: Tokenizer;
  readonly reader: Reader;
  /** The bundle's; a task's own pool takes its place. */
  readonly pool: AdapterPool;
  readonly readAdapter: ReadAdapter;
  readonly slot: LearnSlot;
}

/** Creates a learner. Its graph is open only while it learns. */
export function createLearner(engine: LearnerParts): Learn {
  const { bundle, read, modules, tokenizer, reader, pool, readAdapter, slot } = engine;
  const { onnx, kernels } = modules;
  let openGraph: Gradients | undefined;

  return async (wholeTask, { examples, known = null, passes = RECIPE.passes, seed = 0, ...request }, hooks) => {
    checkTask(wholeTask, bundle);
    const shape = { labels: wholeTask.labels.length, hidden: bundle.manifest.hidden };
    // Unknown labels do not exist for the steps of learning.
    const task = onlyKnown(wholeTask, known);
    const targets = checkExamples(examples, task.labels, known ? "profile" : "task");
    // Before they are read: a damaged row that is never tried does no harm.
    const [first, ...others] = distinctStarts(request.starts);
    const knowing = (start: Start) => startKnowing(start, known, shape);
    const starts = [knowing(first), ...others.map(knowing)] as const;
    const spread = spreadOf(request.starts, shape);
    const taskAdapter = await readAdapter(task.adapter);
    const maxTokens = Math.min(task.maxTokens, MAX_TEXT_TOKENS);
    const texts = encodeExamples(examples, tokenizer, maxTokens);
    checkTexts(texts);
    const labelled = texts.flatMap((text, number) => {
      const target = targets[number];
      return target ? [{ text, target }] : [];
    });
    return await slot.run(async (isAlive) => {
      const onProgress: LearnHooks["onProgress"] = async (progress) => {
        isAlive();
        await hooks.onProgress(progress);
      };
      // A learning that the platform dropped did not release its graph.
      const dropped = openGraph;
      openGraph = undefined;
      await dropped?.release();
      const ofTail = await loadTailGradients(bundle.manifest, read, kernels);
      const gradients = ofTail ?? (await openGradients(onnx, bundle.manifest, read));
      openGraph = gradients;
      try {
        const { firstLayer } = bundle.manifest.learning;
        const parts = { reader, pool: taskAdapter?.pool ?? pool, gradients, firstLayer, task, taskAdapter };
        const learnt = await learn(parts, { texts: labelled, starts, spread, passes, seed }, { ...hooks, onProgress });
        const labelBias = packAmongAll(learnt.parts.labelBias, known, shape);
        return { ...learnt, parts: { ...learnt.parts, labelBias } };
      } finally {
        // A learning that was only slow, not dropped, finds its graph released.
        if (openGraph === gradients) {
          openGraph = undefined;
          await gradients.release();
        }
      }
    });
  };
}

/** Returns a start as a profile that knows these labels has it. @throws XpeftError `invalid_label_bias` */
function startKnowing(start: Start, known: readonly number[] | null, shape: HeadShape): Start {
  try {
    return { ...start, parts: { ...start.parts, labelBias: packOnlyKnown(start.parts.labelBias, known, shape) } };
  } catch (error) {
    throw namingStart(start, error);
  }
}
