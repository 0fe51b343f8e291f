import type { Bundle } from "../bundle/manifest.ts";
import type { Budget } from "../lib/budget.ts";
import { pause } from "../lib/pause.ts";
import { startStopwatch } from "../lib/stopwatch.ts";
import type { ReadAdapter } from "../model/adapter-reader.ts";
import type { Laps, Reader } from "../model/reader.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { readProfileHead } from "../profiles/profile-head.ts";
import { checkTask, type TaskParts } from "../profiles/task.ts";
import { textKey } from "../text/text-key.ts";
import type { TextInput, TokenizedText, Tokenizer } from "../text/tokenizer.ts";
import { reserveTokens } from "./overload.ts";
import { checkText, type Prediction, toPrediction } from "./prediction.ts";

/** One text, and the parts of the profile that labels it. */
export interface EngineInput {
  readonly parts: ProfileParts;
  readonly input: TextInput;
}

/**
 * Milliseconds of each step, summed over the texts of a call. The clock of a deployed Worker stands still while it
 * computes.
 */
export interface Timings {
  readonly tokenize: number;
  /** Next to nothing if the merged adapters were cached. */
  readonly merge: number;
  /** Next to nothing if the text was read before. */
  readonly encoder: number;
  readonly head: number;
}

/** How texts are labelled. */
export interface LabelOptions {
  /** Whether texts longer than the task reads are truncated (the default) or rejected. */
  readonly truncate?: boolean;
  /** The most tokens of a text, special tokens included, if these are fewer than the task reads. */
  readonly maxTokens?: number;
  /**
   * Whether the call is accepted beyond the capacity; by default it is rejected. For callers who send one text after
   * the other, of whom there are few.
   */
  readonly patient?: boolean;
}

/** Labels texts, one prediction each, in order. */
export type LabelTexts = (
  task: TaskParts,
  inputs: readonly EngineInput[],
  options?: LabelOptions,
) => Promise<{ predictions: Prediction[]; timings: Timings }>;

/** What labels texts: parts of an engine. */
export interface LabelParts {
  readonly bundle: Bundle;
  readonly tokenizer: Tokenizer;
  readonly reader: Reader;
  readonly readAdapter: ReadAdapter;
  /** Counts the tokens of accepted texts that the encoder has not read yet. */
  readonly tokensInFlight: Budget;
}

/** Texts that were read before, between two pauses. */
const TAILS_A_PAUSE = 16;

/** Creates what labels texts. */
export function createLabelTexts({ bundle, tokenizer, reader, readAdapter, tokensInFlight }: LabelParts): LabelTexts {
  return async (task, inputs, options = {}) => {
    const { truncate = true, maxTokens = task.maxTokens, patient = false } = options;
    checkTask(task, bundle);
    const limit = Math.min(task.maxTokens, maxTokens);
    const lap = startStopwatch();
    const texts = inputs.map(({ input, parts }, index) => ({
      text: checkText(
        tokenizer.encode(input, limit),
        inputs.length > 1 ? `Input ${index}` : "The text",
        truncate ? null : limit,
      ),
      masks: parts.masks,
      // Read before the first text, so that a damaged row costs no encoder run.
      profileHead:
        parts.labelBias &&
        readProfileHead(parts.labelBias, { labels: task.labels.length, hidden: bundle.manifest.hidden }),
    }));
    const timings = { tokenize: lap(), merge: 0, encoder: 0, head: 0 };
    const waiting = tokensToRead(texts, reader.sharesTrunk);
    const tokens = waiting.reduce((sum, count) => sum + count, 0);
    const reservation = patient ? tokensInFlight.reserve(tokens) : reserveTokens(tokensInFlight, tokens);
    const predictions: Prediction[] = [];
    try {
      const taskAdapter = await readAdapter(task.adapter);
      timings.merge += lap();
      let readSincePause = false;
      const laps: Laps = {
        waited: () => {
          readSincePause = true;
          // The time of other calls is in no step.
          lap();
        },
        merged: () => {
          timings.merge += lap();
        },
        read: () => {
          timings.encoder += lap();
        },
      };
      // Texts are queued one by one, so that other calls wait for one of them and not for all.
      for (const [index, { text, masks, profileHead }] of texts.entries()) {
        // The encoder never yields: without a pause no other request would be read.
        if (index > 0 && (readSincePause || index % TAILS_A_PAUSE === 0)) {
          await pause(0);
          readSincePause = false;
          lap();
        }
        const features = await reader.features(text, { masks, taskAdapter }, laps);
        reservation.release(waiting[index] ?? 0);
        predictions.push(toPrediction(task, profileHead, features, text));
        timings.head += lap();
      }
    } finally {
      reservation.close();
    }
    return { predictions, timings };
  };
}

/**
 * Returns the tokens of each text that the encoder has to read: where a reading serves all profiles, a text that came
 * before costs none.
 */
function tokensToRead(texts: readonly { text: TokenizedText }[], sharesTrunk: boolean): number[] {
  const seen = new Set<string>();
  return texts.map(({ text }) => {
    const key = textKey(text);
    if (sharesTrunk && seen.has(key)) return 0;
    seen.add(key);
    return text.ids.length;
  });
}
