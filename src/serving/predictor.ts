import { hashTask, type TokenProfile } from "../auth/profile-token.ts";
import { XpeftError } from "../errors.ts";
import { unknownProfileError, unknownTaskError } from "../profiles/not-found.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { checkTask, type TaskParts } from "../profiles/task.ts";
import type { TextInput } from "../text/tokenizer.ts";
import { type AnsweredPrediction, type AnswerOptions, formatPrediction } from "./answer.ts";
import type { Engine, EngineInput, Timings } from "./engine.ts";
import type { Freshness, RowCache, RowStores } from "./row-cache.ts";

/** A text, and the profile that it is to be labelled as. */
export interface ProfileInput extends TextInput {
  readonly profile: string;
}

/** Texts to be labelled, each as its profile would. */
export interface PredictRequest extends AnswerOptions {
  readonly task: string;
  readonly inputs: readonly ProfileInput[];
  /** What to do where the task has no such profile: fail (the default), or use the task's default masks. */
  readonly onUnknownProfile?: "error" | "default";
  /** Whether texts longer than the task reads are cut (the default) or refused. */
  readonly truncate?: boolean;
}

/** Where the rows of a request come from. */
export interface RowSource {
  readonly stores: RowStores;
  readonly freshness: Freshness;
  /** A profile that came with the request: it is then the only one that the request is about. */
  readonly carried: TokenProfile | null;
}

/** Milliseconds each step took, over all the texts of a request. */
export interface AnswerTimings extends Timings {
  /** Reading the task's and the profiles' rows. */
  readonly masks: number;
  readonly total: number;
}

/** Predictions, in the order of the inputs, and what they were made with. */
export interface Answer {
  readonly task: string;
  readonly bundle: string;
  readonly predictions: readonly AnsweredPrediction[];
  readonly timings: AnswerTimings;
}

/** Puts engine and rows together: a request names a task and profiles, the answer says what was used. */
export interface Predictor {
  /**
   * Answers a request as a whole, or not at all.
   *
   * @throws XpeftError `unknown_task`, `unknown_profile`, `bundle_mismatch`, `invalid_row`, `invalid_mask`,
   * `invalid_label_bias`, `empty_text`, `text_too_long`, `token_stale`, `overloaded`, `bundle_unusable` or `database_unavailable`
   */
  predict(request: PredictRequest, from: RowSource): Promise<Answer>;

  /**
   * Answers each text for itself, as soon as its turn comes; none is refused for the texts of others.
   *
   * @returns for each input, in order, its prediction or what is wrong with it
   * @throws XpeftError what is wrong for all of them: `unknown_task`, `bundle_mismatch`, `token_stale` or
   * `database_unavailable`
   */
  predictEach(request: PredictRequest, from: RowSource): AsyncGenerator<AnsweredPrediction | XpeftError>;
}

/** A reading and whose masks it uses. */
interface Chosen extends EngineInput {
  readonly profile: string;
  readonly masks: AnsweredPrediction["masks"];
  readonly generation: number;
}

/** Makes a predictor whose rows are kept in `cache`. */
export function createPredictor({ engine, cache }: { engine: Engine; cache: RowCache }): Predictor {
  // A task's parts never change once read, and hashing a head takes longer than merging masks.
  const hashes = new WeakMap<TaskParts, Promise<string>>();
  function hashOnce(task: TaskParts): Promise<string> {
    const hash = hashes.get(task) ?? hashTask(task);
    hashes.set(task, hash);
    return hash;
  }

  async function taskFor(carried: TokenProfile, { stores, freshness }: RowSource): Promise<TaskParts> {
    if (carried.taskParts) return carried.taskParts;
    const { task } = await cache.read(stores, carried.task, [], freshness);
    if (task && (await hashOnce(task)) === carried.taskHash) return task;
    // It may be the task that is old, and not the token.
    const { task: newest } = await cache.read(stores, carried.task, [], "primary");
    if (!newest) throw unknownTaskError(carried.task);
    if ((await hashOnce(newest)) === carried.taskHash) return newest;
    throw new XpeftError("token_stale", `Task "${newest.name}" has changed since the token was made.`);
  }

  /** Finds each input's masks; those that there are none for get an error in their place. */
  async function choose(
    request: PredictRequest,
    from: RowSource,
  ): Promise<{ task: TaskParts; chosen: (Chosen | XpeftError)[] }> {
    const { carried } = from;
    if (carried) {
      const { profile, parts, generation } = carried;
      const task = await taskFor(carried, from);
      return {
        task,
        chosen: request.inputs.map((input) => ({ input, profile, parts, masks: "token", generation })),
      };
    }
    const ids = [...new Set(request.inputs.map(({ profile }) => profile))];
    const { task, profiles } = await cache.read(from.stores, request.task, ids, from.freshness);
    if (!task) throw unknownTaskError(request.task);
    const standIn: ProfileParts = { masks: task.masks, labelBias: null };
    return {
      task,
      chosen: request.inputs.map((input) => {
        const own = profiles.get(input.profile);
        const { profile } = input;
        if (own) return { input, profile, parts: own, masks: "profile", generation: own.generation };
        if (request.onUnknownProfile !== "default") return unknownProfileError(task.name, profile);
        return { input, profile, parts: standIn, masks: "default", generation: task.generation };
      }),
    };
  }

  async function answerOne(
    task: TaskParts,
    one: Chosen,
    request: PredictRequest,
  ): Promise<AnsweredPrediction | XpeftError> {
    try {
      const { predictions } = await engine.predict(task, [one], { ...request, patient: true });
      return formatPrediction(task.labels, one, predictions[0], request);
    } catch (error) {
      if (error instanceof XpeftError) return error;
      throw error;
    }
  }

  return {
    async predict(request, from) {
      const start = performance.now();
      const { task, chosen } = await choose(request, from);
      const readings = chosen.map((one) => {
        if (one instanceof XpeftError) throw one;
        return one;
      });
      const found = performance.now();
      const { predictions, timings } = await engine.predict(task, readings, request);
      return {
        task: task.name,
        bundle: engine.bundle.id,
        predictions: readings.map((reading, index) =>
          formatPrediction(task.labels, reading, predictions[index], request),
        ),
        timings: { ...timings, masks: found - start, total: performance.now() - start },
      };
    },

    async *predictEach(request, from) {
      const { task, chosen } = await choose(request, from);
      checkTask(task, engine.bundle);
      for (const one of chosen) yield one instanceof XpeftError ? one : await answerOne(task, one, request);
    },
  };
}
