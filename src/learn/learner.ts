import type { ReadFile } from "../bundle/files.ts";
import type { Bundle } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";
import { createBudget } from "../lib/budget.ts";
import type { Encoder } from "../model/encoder.ts";
import type { MergedCache } from "../model/merged-cache.ts";
import type { AdapterPool } from "../model/pool/pool.ts";
import type { Task } from "../profiles/task.ts";
import { checkTask } from "../profiles/task.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { checkExamples, checkTexts, type Example, MAX_TEXT_TOKENS } from "./examples.ts";
import { type Gradients, openGradients } from "./gradients.ts";
import { type LearnResult, learn } from "./learn.ts";
import type { LearnHooks } from "./progress.ts";
import type { Start } from "./reader.ts";
import { RECIPE } from "./recipe.ts";

/** What a profile is to be learnt from. */
export interface LearnRequest {
  readonly examples: readonly Example[];
  /** What it may start from: the first, unless another explains the examples clearly better. */
  readonly starts: readonly [Start, ...Start[]];
  /** Times that each example is read; the recipe's if it is left out. */
  readonly passes?: number | undefined;
  /** A whole number of 32 bits; 0 if it is left out. */
  readonly seed?: number | undefined;
}

/**
 * Learns a profile; the task's head and the pool stay as they are. There is one learning at a time, and others' texts are read
 * between two of its own.
 *
 * @throws XpeftError `learning_busy`; `bundle_mismatch` or `invalid_row` if the task does not fit; `too_few_examples`,
 * `too_many_examples`, `unknown_label`, `one_label` or `empty_text`; `learning_too_long`; `invalid_mask` or
 * `invalid_label_bias` if a start does not fit; `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`; and what
 * ends the signal
 */
export type Learn = (
  task: Pick<Task, "name" | "bundle" | "labels" | "maxTokens" | "head">,
  request: LearnRequest,
  hooks: LearnHooks,
) => Promise<LearnResult>;

/** What a teacher works with: the parts of an engine. */
export interface LearnerParts {
  readonly bundle: Bundle;
  readonly read: ReadFile;
  readonly wasm: WebAssembly.Module;
  readonly tokenizer: Tokenizer;
  readonly encoder: Encoder;
  readonly pool: AdapterPool;
  readonly merged: MergedCache;
}

/** Many times as long as there is between two reports of a learning: one that reports no more was dropped by the platform. */
const FORGET_MS = 60_000;

const RETRY_SECONDS = 5;

/** Makes what learns profiles. Its graph is open only while there is something to learn. */
export function createLearner({ bundle, read, wasm, tokenizer, encoder, pool, merged }: LearnerParts): Learn {
  const desk = createBudget({ most: 1, forgetAfterMs: FORGET_MS });
  let open: Gradients | undefined;

  return async (task, { examples, starts, passes = RECIPE.passes, seed = 0 }, hooks) => {
    checkTask(task, bundle);
    const targets = checkExamples(examples, task.labels);
    const tokens = Math.min(task.maxTokens, MAX_TEXT_TOKENS);
    const texts = examples.map(({ input }) => tokenizer.encode(input, tokens));
    const blank = texts.findIndex(({ empty }) => empty);
    if (blank >= 0) {
      throw new XpeftError("empty_text", `Example ${blank} has no tokens.`, { reason: "example" });
    }
    checkTexts(texts);
    const targeted = texts.flatMap((text, number) => {
      const target = targets[number];
      return target ? [{ text, target }] : [];
    });
    const share = desk.tryReserve(1);
    if (!share) throw busy();
    const onProgress: LearnHooks["onProgress"] = async (progress) => {
      share.release(0);
      await hooks.onProgress(progress);
    };
    try {
      // A learning that the platform dropped has left its graph.
      const left = open;
      open = undefined;
      await left?.release();
      const gradients = await openGradients(wasm, bundle.manifest, read);
      open = gradients;
      try {
        const { firstLayer } = bundle.manifest.learning;
        const parts = { encoder, pool, gradients, firstLayer, merged: merged.of, task };
        return await learn(parts, { texts: targeted, starts, passes, seed }, { ...hooks, onProgress });
      } finally {
        // One that was taken for dropped, and is not, finds its graph gone.
        if (open === gradients) {
          open = undefined;
          await gradients.release();
        }
      }
    } finally {
      share.close();
    }
  };
}

function busy(): XpeftError {
  const facts = { retryAfterSeconds: RETRY_SECONDS };
  return new XpeftError("learning_busy", "Another profile is being learnt here.", { facts });
}
