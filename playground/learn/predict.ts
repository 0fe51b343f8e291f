import type { Prediction, Predictions } from "../shared/answers.ts";
import { type RequestOptions, requestJson } from "../shared/api.ts";
import { SHOWN_LABELS } from "../shared/scores-table.ts";

/** A profile by its names. */
export interface ProfileName {
  readonly task: string;
  readonly profile: string;
}

/** Predicts texts as a profile of now, not of the cache; as the task's default if there is no such profile. */
export async function predict(
  name: ProfileName,
  texts: readonly string[],
  options: Pick<RequestOptions, "signal" | "key"> = {},
): Promise<readonly Prediction[]> {
  const json = { ...name, inputs: texts, topK: SHOWN_LABELS, onUnknownProfile: "default" };
  const headers = { "cache-control": "no-cache" };
  return (await requestJson<Predictions>("/v1/predict", { json, headers, ...options })).predictions;
}
