import type { Outcome, Prediction, Predictions, Profile, Timings } from "./answers.ts";
import type { LocalRequest } from "./local-messages.ts";
import { hasCode, KEY_PROBLEMS, profilePath, type RequestOptions, requestJson } from "./request.ts";

/** How many labels of a prediction the page shows. */
const SHOWN_LABELS = 3;

/** Problems that one profile can have while others have none. */
const PROFILE_PROBLEMS = [
  "unknown_profile",
  "invalid_request",
  "outside_confinement",
  "invalid_mask",
  "invalid_label_bias",
];

/** Answers a body of `POST /v1/predict`: the service, or this device. */
export type Predict = (body: LocalRequest["body"], options: RequestOptions) => Promise<Predictions>;

/** Asks the service. */
export const predictByService: Predict = (json, options) => requestJson("/v1/predict", { json, ...options });

/** What profiles say of a text. */
export interface Outcomes {
  readonly outcomes: readonly Outcome[];
  /** Null where each profile had a request of its own. */
  readonly timings: Timings | null;
}

/**
 * Labels a text under each profile.
 *
 * The service answers a request as a whole or not at all. If one profile has a problem, each gets a request of its own.
 *
 * @throws ApiError if no profile can answer
 */
export async function predictAll(
  predict: Predict,
  task: string,
  profiles: readonly string[],
  text: string,
  signal: AbortSignal,
): Promise<Outcomes> {
  const ask = (ids: readonly string[]) =>
    predict({ task, inputs: ids.map((profile) => ({ profile, text })), topK: SHOWN_LABELS }, { signal });
  const alone = async (profile: string): Promise<Outcome> => {
    try {
      const [prediction] = (await ask([profile])).predictions;
      return prediction ? { profile, prediction } : { profile, error: new Error("The answer has no prediction.") };
    } catch (error) {
      return { profile, error };
    }
  };
  try {
    const { predictions, timings } = await ask(profiles);
    return { outcomes: predictions.map((prediction) => ({ profile: prediction.profile, prediction })), timings };
  } catch (error) {
    if (!hasCode(error, PROFILE_PROBLEMS)) throw error;
    return { outcomes: await Promise.all(profiles.map(alone)), timings: null };
  }
}

/** Labels texts under a profile of now, not of the cache; under the task's default if there is no such profile. */
export async function predictTexts(
  task: string,
  profile: string,
  inputs: readonly string[],
  signal: AbortSignal,
): Promise<readonly Prediction[]> {
  const json = { task, profile, inputs, topK: SHOWN_LABELS, onUnknownProfile: "default" };
  const headers = { "cache-control": "no-cache" };
  return (await requestJson<Predictions>("/v1/predict", { json, headers, signal })).predictions;
}

/** Returns a profile's row; null if there is none, or if the key cannot read it. */
export async function readRow(task: string, profile: string, options: RequestOptions): Promise<Profile | null> {
  try {
    return await requestJson<Profile>(profilePath(task, profile), options);
  } catch (error) {
    if (hasCode(error, [...KEY_PROBLEMS, ...PROFILE_PROBLEMS])) return null;
    throw error;
  }
}
