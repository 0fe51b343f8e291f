import type { Engine, ProfileParts, Task, TextInput, Timings } from "./engine.ts";
import { foundProfile, foundTask } from "./found.ts";
import { createRowCache, type RowCacheLimits } from "./row-cache.ts";
import type { ProfileStore, TaskAndProfile } from "./store.ts";

/** One or more texts to be labelled as a profile would. */
export interface PredictRequest {
  readonly task: string;
  readonly profile: string;
  readonly inputs: readonly TextInput[];
  /** What to do where the task has no such profile: fail (the default), or use the task's default masks. */
  readonly onUnknownProfile?: "error" | "default";
  /** Whether each prediction gives the scores of all labels. */
  readonly scores?: boolean;
}

/** The answer for one text. */
export interface AnsweredPrediction {
  readonly label: string;
  /** Softmax score of the label, 0..1. */
  readonly score: number;
  /** Score of every label; only where the request asks for it. */
  readonly scores?: Record<string, number>;
  /** Tokens that were read, special tokens included. */
  readonly tokens: number;
  /** Whether the text was longer than the task reads. */
  readonly truncated: boolean;
}

/** Milliseconds each step took, over all the texts of a request. */
export interface AnswerTimings extends Timings {
  /** Reading the task's and the profile's rows. */
  readonly masks: number;
  readonly total: number;
}

/** Predictions, in the order of the inputs, and what they were made with. */
export interface Answer {
  readonly task: string;
  readonly profile: string;
  /** Whose masks were used: the profile's own, or the task's default. */
  readonly masks: "profile" | "default";
  /** Generation of the row that the masks came from. */
  readonly generation: number;
  readonly bundle: string;
  readonly predictions: readonly AnsweredPrediction[];
  readonly timings: AnswerTimings;
}

/** Answers a request. */
export type Predict = (request: PredictRequest) => Promise<Answer>;

interface ChosenParts {
  readonly task: Task;
  readonly source: "profile" | "default";
  readonly parts: ProfileParts;
  readonly generation: number;
}

function chooseParts(request: PredictRequest, rows: TaskAndProfile): ChosenParts {
  const task = foundTask(rows.task, request.task);
  if (!rows.profile && request.onUnknownProfile === "default") {
    return { task, source: "default", parts: { masks: task.masks, labelBias: null }, generation: task.generation };
  }
  const profile = foundProfile(rows.profile, request.task, request.profile);
  return { task, source: "profile", parts: profile, generation: profile.generation };
}

/**
 * Puts engine and store together: a request names a task and a profile, the answer says what was used.
 *
 * @returns a function that throws XpeftError `unknown_task`, `unknown_profile`, `bundle_mismatch`, `invalid_row`,
 * `invalid_mask`, `invalid_label_bias`, `empty_text` or `database_unavailable`
 */
export function createPredictor(from: { engine: Engine; store: ProfileStore; cache: RowCacheLimits }): Predict {
  const { engine, store } = from;
  const readRows = createRowCache(store, from.cache);

  return async (request) => {
    const start = performance.now();
    const { task, source, parts, generation } = chooseParts(request, await readRows(request.task, request.profile));
    const found = performance.now();
    const { predictions, timings } = await engine.predict(task, parts, request.inputs);
    return {
      task: task.name,
      profile: request.profile,
      masks: source,
      generation,
      bundle: engine.bundle.id,
      predictions: predictions.map(({ scores, ...prediction }) =>
        request.scores
          ? { ...prediction, scores: Object.fromEntries(scores.map((score, i) => [task.labels[i], score])) }
          : prediction,
      ),
      timings: { ...timings, masks: found - start, total: performance.now() - start },
    };
  };
}
