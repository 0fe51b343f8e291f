import type { Context } from "hono";
import { requireProfile } from "../../../src/auth/access.ts";
import { readToken, type TokenProfile } from "../../../src/auth/profile-token.ts";
import { parseSigningKeys } from "../../../src/auth/signing-keys.ts";
import type { Answer, PredictRequest, RowSource } from "../../../src/serving/predictor.ts";
import { createShardedProfileStore } from "../../../src/sharding/store.ts";
import type { ProfileStore } from "../../../src/storage/profile-store.ts";
import { BOOKMARK } from "../../http/bookmarks.ts";
import { wantsFresh } from "../../http/cache-control.ts";
import type { AppEnv } from "../../http/env.ts";
import type { ProblemCode } from "../../http/problem-codes.ts";
import { setServerTiming } from "../../http/server-timing.ts";
import { openShards, SHARD_PROBLEMS } from "../../platform/databases.ts";
import { isolateBundle, isolateService } from "../../platform/isolate.ts";

/** Problems that every route with predictions can answer with, beside those of its access. */
export const PREDICT_PROBLEMS = [
  "unknown_task",
  "bundle_mismatch",
  "token_malformed",
  "token_too_large",
  "token_unknown_key",
  "token_other_algorithm",
  "token_forged",
  "token_expired",
  "token_not_yet_valid",
  "token_incomplete",
  "token_other_bundle",
  "token_other_task",
  "token_other_profile",
  "token_stale",
  "tokens_not_set_up",
  "invalid_manifest",
  "bundle_file_missing",
  "bundle_file_corrupt",
  "bundle_unusable",
  ...SHARD_PROBLEMS,
] as const satisfies ProblemCode[];

/** Problems of a text or of its profile. */
export const TEXT_PROBLEMS = [
  "unknown_profile",
  "empty_text",
  "text_too_long",
  "invalid_mask",
  "invalid_label_bias",
] as const satisfies ProblemCode[];

/** A store that opens its session only if it is read: a prediction from the caches or a token needs none. */
function lazyStore(c: Context<AppEnv>, session: "primary" | "nearest", newest: ProfileStore | null): ProfileStore {
  let store: ProfileStore | undefined;
  return {
    read(...asked) {
      // Only the first query of a session that begins at the primary is sure to be answered by it.
      if (store === undefined || session === "primary")
        store = createShardedProfileStore(openShards(c, session), newest);
      return store.read(...asked);
    },
  };
}

/**
 * The profile that came with a request as its token.
 *
 * @param profile as whom the request is to be answered; null if the token says so itself
 * @returns null if no token came
 * @throws XpeftError what is wrong with the token
 */
export async function tokenProfile(
  c: Context<AppEnv>,
  task: string,
  profile: string | null,
): Promise<TokenProfile | null> {
  const token = c.get("token");
  if (token === null) return null;
  const keys = parseSigningKeys(c.env.TOKEN_KEYS);
  const { id: bundle } = await isolateBundle(c.env, c.executionCtx);
  const read = () => readToken(token, keys, { bundle, task, profile }, new Date());
  c.set("stillAllowed", async () => void (await read()));
  return await read();
}

/** Where the rows of a request come from. @param carried what {@link tokenProfile} gave */
export function rowSourceOf(c: Context<AppEnv>, carried: TokenProfile | null): RowSource {
  const primary = lazyStore(c, "primary", null);
  const stores = { nearest: lazyStore(c, "nearest", primary), primary };
  // What is kept has no bookmark, so a caller who brings one is answered from the database.
  const freshness = wantsFresh(c) ? "primary" : c.req.header(BOOKMARK) === undefined ? "kept" : "nearest";
  return { stores, freshness, carried };
}

/** Answers a request as a whole, telling in the answer's headers where the time went. */
export async function answerPredictions(c: Context<AppEnv>, request: PredictRequest): Promise<Answer> {
  const profiles = [...new Set(request.inputs.map(({ profile }) => profile))];
  for (const profile of profiles) requireProfile(c.get("access"), request.task, profile);
  const [carried = null] = await Promise.all(profiles.map((profile) => tokenProfile(c, request.task, profile)));
  const { predictor } = await isolateService(c.env, c.executionCtx);
  const answered = await predictor.predict(request, rowSourceOf(c, carried));
  c.set("texts", request.inputs.length);
  setServerTiming(c, answered.timings);
  return answered;
}
