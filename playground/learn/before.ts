// What a profile was before a learning, and what it predicted.
import type { Prediction, Profile } from "../shared/answers.ts";
import { apiKey, hasCode, profilePath, requestJson } from "../shared/api.ts";
import { type ProfileName, predict } from "./predict.ts";

export interface Before {
  /** The profile's row; null if there was none, undefined if the key cannot read it. */
  readonly row: Profile | null | undefined;
  /** A profile token that carries the profile of before, if one could be made. */
  readonly token: string | undefined;
  /** Predictions of before, by their texts. */
  readonly predictions: ReadonlyMap<string, Prediction>;
}

/** Returns a profile's row; null if there is none, undefined if the key cannot read it. */
export async function readRow(
  { task, profile }: ProfileName,
  signal?: AbortSignal,
): Promise<Profile | null | undefined> {
  try {
    return await requestJson<Profile>(profilePath(task, profile), signal && { signal });
  } catch (error) {
    if (hasCode(error, ["unknown_profile"])) return null;
    if (hasCode(error, ["scope_missing"])) return undefined;
    throw error;
  }
}

/** Reads what a learning is going to replace. @throws if the row cannot be read for another reason than its key */
export async function readBefore(name: ProfileName, texts: readonly string[], signal: AbortSignal): Promise<Before> {
  // Without a key, the learning itself is rejected with the scope that it needs; reading the row would name another.
  const row = apiKey() === "" ? undefined : await readRow(name, signal);
  // Predictions and token only serve to compare: the learning goes on without them.
  const predictions = texts.length > 0 ? await predict(name, texts, { signal }).catch(() => []) : [];
  const tokenPath = `${profilePath(name.task, name.profile)}/token`;
  const signed = row ? await requestJson<{ token: string }>(tokenPath, { json: {}, signal }).catch(() => null) : null;
  return {
    row,
    token: signed?.token,
    predictions: new Map(predictions.map((prediction, place) => [texts[place] ?? "", prediction])),
  };
}

/** Requests predictions as they were: by the profile's token or, for a new profile, by the task's default. */
async function predictAgain(
  name: ProfileName,
  { row, token }: Before,
  texts: readonly string[],
): Promise<readonly Prediction[]> {
  if (token) return predict(name, texts, { key: token });
  if (row !== null) return [];
  const unused = `${name.profile.slice(0, 100)}.${Date.now().toString(36)}`;
  return predict({ ...name, profile: unused }, texts);
}

/** Predicts texts as the profile was. A text is undefined where that is no longer known. */
export async function predictBefore(
  name: ProfileName,
  before: Before,
  texts: readonly string[],
): Promise<(Prediction | undefined)[]> {
  const known = texts.map((text) => before.predictions.get(text));
  if (known.every(Boolean)) return known;
  const again = await predictAgain(name, before, texts).catch(() => []);
  return known.map((prediction, place) => prediction ?? again[place]);
}
