import type { Prediction, Predictions, Profile, Timings } from "../shared/answers.ts";
import { ApiError, hasCode, KEY_PROBLEMS, profilePath, requestJson } from "../shared/api.ts";
import { SHOWN_LABELS } from "../shared/scores-table.ts";
import { elements } from "./elements.ts";
import { predictOnDevice } from "./on-device.ts";
import { chosenTask } from "./tasks.ts";

/** Problems that one profile can have while others have none. */
export const PROFILE_PROBLEMS = [
  "unknown_profile",
  "invalid_request",
  "outside_confinement",
  "invalid_mask",
  "invalid_label_bias",
];

interface Input {
  readonly profile: string;
  readonly text: string;
}

/** A prediction, or why there is none. */
export type Outcome = { readonly prediction: Prediction } | { readonly error: unknown };

export interface Outcomes {
  readonly outcomes: readonly Outcome[];
  /** Null where each profile had a request of its own. */
  readonly timings: Timings | null;
}

async function predict(inputs: readonly Input[]): Promise<Predictions> {
  const request = { task: chosenTask(), inputs, topK: SHOWN_LABELS };
  return elements.onDevice.checked
    ? await predictOnDevice(request)
    : await requestJson("/v1/predict", { json: request });
}

async function predictAlone(input: Input): Promise<Outcome> {
  try {
    const { predictions } = await predict([input]);
    return predictions[0] ? { prediction: predictions[0] } : { error: new Error("The answer has no prediction.") };
  } catch (error) {
    return { error };
  }
}

/**
 * Predicts a text as each profile.
 *
 * The service answers a request as a whole or not at all. If one profile has a problem, each gets a request of its own.
 */
export async function predictAll(profiles: readonly string[], text: string): Promise<Outcomes> {
  const inputs = profiles.map((profile) => ({ profile, text }));
  try {
    const { predictions, timings } = await predict(inputs);
    return { outcomes: predictions.map((prediction) => ({ prediction })), timings };
  } catch (error) {
    if (!hasCode(error, PROFILE_PROBLEMS)) throw error;
    return { outcomes: await Promise.all(inputs.map(predictAlone)), timings: null };
  }
}

/** Returns whether a row has no prediction of its generation. */
export const areOutdated = (outcomes: readonly Outcome[], rows: readonly Profile[]): boolean =>
  rows.some(({ profile, generation }) =>
    outcomes.every(
      (outcome) =>
        !("prediction" in outcome) ||
        outcome.prediction.profile !== profile ||
        outcome.prediction.generation !== generation,
    ),
  );

/**
 * Reads the rows of profiles. Omits rows that do not exist, rows that the key cannot read, and, where texts are labelled
 * on this device, rows that cannot be reached.
 */
export async function readRows(profiles: readonly string[]): Promise<Profile[]> {
  const rows = await Promise.all(
    profiles.map((profile) =>
      requestJson<Profile>(profilePath(chosenTask(), profile)).catch((error: unknown) => {
        const isAway = elements.onDevice.checked && !(error instanceof ApiError);
        if (!isAway && !hasCode(error, [...KEY_PROBLEMS, ...PROFILE_PROBLEMS])) throw error;
        return null;
      }),
    ),
  );
  return rows.filter((row) => row !== null);
}
