import { hashTask, type TokenProfile } from "../auth/profile-token.ts";
import { XpeftError } from "../errors.ts";
import type { EngineName } from "../model/trunk.ts";
import { onlyKnown } from "../profiles/known-labels.ts";
import { unknownProfileError, unknownTaskError } from "../profiles/not-found.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { headShapeOf, knownOf } from "../profiles/profile-head.ts";
import { checkTask, type TaskParts } from "../profiles/task.ts";
import type { TextInput } from "../text/tokenizer.ts";
import { type AnsweredPrediction, type AnswerOptions, formatPrediction } from "./answer.ts";
import type { Engine } from "./engine.ts";
import type { EngineInput, Timings } from "./label-texts.ts";
import type { Freshness, RowCache, RowStores } from "./row-cache.ts";

/** A text, and the profile that labels it. */
export interface ProfileInput extends TextInput {
  readonly profile: string;
}

/** Texts to label, each under its profile. */
export interface PredictRequest extends AnswerOptions {
  readonly task: string;
  readonly inputs: readonly ProfileInput[];
  /** What happens if the task has no such profile: an error (the default), or the task's default masks. */
  readonly onUnknownProfile?: "error" | "default";
  /** Whether texts longer than the task reads are truncated (the default) or rejected. */
  readonly truncate?: boolean;
  /** The most tokens of a text, special tokens included, if these are fewer than the task reads. */
  readonly maxTokens?: number;
}

/** A profile that a caller wants to use. */
export type ProfileRequest = Pick<PredictRequest, "task"> & Pick<ProfileInput, "profile">;

/** Where a request's rows come from. */
export interface RowSource {
  readonly stores: RowStores;
  readonly freshness: Freshness;
  /** The profile of the request's token; the request then names no other profile. */
  readonly tokenProfile: TokenProfile | null;
}

/** Milliseconds of each step, summed over the texts of a request. */
export interface AnswerTimings extends Timings {
  /** Reading the task's and the profiles' rows. */
  readonly masks: number;
  readonly total: number;
}

/** Predictions in the order of the inputs, and what made them. */
export interface Answer {
  readonly task: string;
  readonly bundle: string;
  readonly engine: EngineName;
  readonly predictions: readonly AnsweredPrediction[];
  readonly timings: AnswerTimings;
}

/** Answers requests with an engine and rows: a request names a task and profiles, and the answer says what was used. */
export interface Predictor {
  /**
   * Answers a request as a whole: one error rejects all of its texts.
   *
   * @throws XpeftError `unknown_task`, `unknown_profile`, `bundle_mismatch`, `invalid_row`, `invalid_mask`,
   * `invalid_label_bias`, `empty_text`, `text_too_long`, `token_stale`, `overloaded`, `bundle_unusable` or
   * `database_unavailable`
   */
  predict(request: PredictRequest, from: RowSource): Promise<Answer>;

  /**
   * Answers each text separately, as soon as its turn comes.
   *
   * @returns for each input, in order, its prediction or its error
   * @throws XpeftError an error of all texts: `unknown_task`, `bundle_mismatch`, `token_stale` or
   * `database_unavailable`
   */
  predictEach(request: PredictRequest, from: RowSource): AsyncGenerator<AnsweredPrediction | XpeftError>;

  /**
   * Returns the task that a profile's texts are labelled by, with only the labels that the profile knows.
   *
   * @throws XpeftError `unknown_task`, `unknown_profile`, `bundle_mismatch`, `invalid_row`, `invalid_label_bias`,
   * `token_stale` or `database_unavailable`
   */
  readTask(request: ProfileRequest, from: RowSource): Promise<TaskParts>;
}

/** A text with the masks that it is read under. */
interface ResolvedInput extends EngineInput {
  readonly profile: string;
  readonly masks: AnsweredPrediction["masks"];
  readonly generation: number;
}

/** Creates a predictor that caches rows in `cache`. */
export function createPredictor({ engine, cache }: { engine: Engine; cache: Pick<RowCache, "read"> }): Predictor {
  // Parts that were read never change, and hashing a head takes longer than merging masks. The cache has hashes, not
  // promises: workerd would continue whoever awaits another request's promise in that other request.
  const hashes = new WeakMap<TaskParts, string>();
  async function hashOnce(task: TaskParts): Promise<string> {
    const hash = hashes.get(task) ?? (await hashTask(task));
    hashes.set(task, hash);
    return hash;
  }

  /** Returns the task of a token, checked against the token's hash. */
  async function taskFor(token: TokenProfile, { stores, freshness }: RowSource): Promise<TaskParts> {
    if (token.taskParts) return token.taskParts;
    const { task } = await cache.read(stores, token.task, [], freshness);
    if (task && (await hashOnce(task)) === token.taskHash) return task;
    // The cached task may be older than the token.
    const { task: newest } = await cache.read(stores, token.task, [], "primary");
    if (!newest) throw unknownTaskError(token.task);
    if ((await hashOnce(newest)) === token.taskHash) return newest;
    throw new XpeftError("token_stale", `Task "${newest.name}" has changed since the token was made.`);
  }

  /** Returns each input with its masks, or with an error if its profile does not exist. */
  async function resolveInputs(
    request: PredictRequest,
    from: RowSource,
  ): Promise<{ task: TaskParts; resolved: (ResolvedInput | XpeftError)[] }> {
    const { tokenProfile } = from;
    if (tokenProfile) {
      const { profile, parts, generation } = tokenProfile;
      const task = await taskFor(tokenProfile, from);
      return {
        task,
        resolved: request.inputs.map((input) => ({ input, profile, parts, masks: "token", generation })),
      };
    }
    const ids = [...new Set(request.inputs.map(({ profile }) => profile))];
    const { task, profiles } = await cache.read(from.stores, request.task, ids, from.freshness);
    if (!task) throw unknownTaskError(request.task);
    const defaultParts: ProfileParts = { masks: task.masks, labelBias: null };
    return {
      task,
      resolved: request.inputs.map((input) => {
        const { profile } = input;
        const stored = profiles.get(profile);
        if (stored) return { input, profile, parts: stored, masks: "profile", generation: stored.generation };
        if (request.onUnknownProfile !== "default") return unknownProfileError(task.name, profile);
        return { input, profile, parts: defaultParts, masks: "default", generation: task.generation };
      }),
    };
  }

  async function answerOne(
    task: TaskParts,
    input: ResolvedInput,
    request: PredictRequest,
  ): Promise<AnsweredPrediction | XpeftError> {
    try {
      const { predictions } = await engine.predict(task, [input], { ...request, patient: true });
      return formatPrediction(input, predictions[0], request);
    } catch (error) {
      if (error instanceof XpeftError) return error;
      throw error;
    }
  }

  return {
    async predict(request, from) {
      const start = performance.now();
      const { task, resolved } = await resolveInputs(request, from);
      const inputs = resolved.map((input) => {
        if (input instanceof XpeftError) throw input;
        return input;
      });
      const rowsRead = performance.now();
      const { predictions, timings } = await engine.predict(task, inputs, request);
      return {
        task: task.name,
        bundle: engine.bundle.id,
        engine: engine.name,
        predictions: inputs.map((input, index) => formatPrediction(input, predictions[index], request)),
        timings: { ...timings, masks: rowsRead - start, total: performance.now() - start },
      };
    },

    async readTask({ task: name, profile }, from) {
      const { task, resolved } = await resolveInputs({ task: name, inputs: [{ profile, text: "" }] }, from);
      const [input] = resolved;
      if (input instanceof XpeftError) throw input;
      checkTask(task, engine.bundle);
      return onlyKnown(task, knownOf(input?.parts.labelBias ?? null, headShapeOf(task)));
    },

    async *predictEach(request, from) {
      const { task, resolved } = await resolveInputs(request, from);
      checkTask(task, engine.bundle);
      for (const input of resolved) yield input instanceof XpeftError ? input : await answerOne(task, input, request);
    },
  };
}
