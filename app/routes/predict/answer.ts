import type { Context } from "hono";
import { requireProfile } from "../../../src/auth/access.ts";
import { readToken, type TokenProfile } from "../../../src/auth/profile-token.ts";
import { parseSigningKeys } from "../../../src/auth/signing-keys.ts";
import type { ProfileStore } from "../../../src/profiles/profile-store.ts";
import type { Answer, PredictRequest, ProfileRequest, RowSource } from "../../../src/serving/predictor.ts";
import { createShardedProfileStore } from "../../../src/sharding/store.ts";
import { BOOKMARK } from "../../http/bookmarks.ts";
import { wantsFresh } from "../../http/cache-control.ts";
import type { AppEnv } from "../../http/env.ts";
import type { ProblemCode } from "../../http/problem-codes.ts";
import { setServerTiming } from "../../http/server-timing.ts";
import { openShards, SHARD_PROBLEMS } from "../../service/databases.ts";
import { bundleOf, ENGINE_PROBLEMS, serviceOf } from "../../service/service.ts";

/** Problems of every route with predictions, besides those of access. */
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
  ...ENGINE_PROBLEMS,
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

/** Returns a store that opens its session on first read: a prediction from the caches or a token needs none. */
function lazyStore(c: Context<AppEnv>, session: "primary" | "nearest", newest: ProfileStore | null): ProfileStore {
  let store: ProfileStore | undefined;
  return {
    read(...args) {
      // The primary answers only the first query of a session for certain.
      if (store === undefined || session === "primary")
        store = createShardedProfileStore(openShards(c, session), newest);
      return store.read(...args);
    },
  };
}

/**
 * Returns the profile of the request's token.
 *
 * @param profile the profile that the request names; null if the token decides
 * @returns null if the request has no token
 * @throws XpeftError what is wrong with the token
 */
export async function tokenProfile(
  c: Context<AppEnv>,
  task: string,
  profile: string | null,
): Promise<TokenProfile | null> {
  const token = c.get("token");
  if (token === null) return null;
  const { platform } = c.env;
  const keys = parseSigningKeys(platform.tokenKeys());
  const { taskBundles: bundles } = await bundleOf(platform, c.executionCtx);
  const read = () => readToken(token, keys, { bundles, task, profile }, new Date(platform.now()));
  c.set("stillAllowed", async () => void (await read()));
  return await read();
}

/** Returns where the rows of a request come from. @param token the result of {@link tokenProfile} */
export function rowSourceOf(c: Context<AppEnv>, token: TokenProfile | null): RowSource {
  const primary = lazyStore(c, "primary", null);
  const stores = { nearest: lazyStore(c, "nearest", primary), primary };
  // Cached rows have no bookmark, so a request with one reads the database.
  const freshness = wantsFresh(c) ? "primary" : c.req.header(BOOKMARK) === undefined ? "cached" : "nearest";
  return { stores, freshness, tokenProfile: token };
}

/**
 * Returns the isolate's service, and where the rows of a profile come from, for a route whose path names the profile.
 *
 * @throws XpeftError if the caller may not use the profile
 */
export async function openProfile(c: Context<AppEnv>, { task, profile }: ProfileRequest) {
  requireProfile(c.get("access"), task, profile);
  const token = await tokenProfile(c, task, profile);
  return { ...(await serviceOf(c.env.platform, c.executionCtx)), source: rowSourceOf(c, token) };
}

/** Answers a request as a whole and adds its timings to the answer's headers. */
export async function answerPredictions(c: Context<AppEnv>, request: PredictRequest): Promise<Answer> {
  const profiles = [...new Set(request.inputs.map(({ profile }) => profile))];
  for (const profile of profiles) requireProfile(c.get("access"), request.task, profile);
  const [token = null] = await Promise.all(profiles.map((profile) => tokenProfile(c, request.task, profile)));
  const { predictor } = await serviceOf(c.env.platform, c.executionCtx);
  const answer = await predictor.predict(request, rowSourceOf(c, token));
  c.set("texts", request.inputs.length);
  setServerTiming(c, answer.timings);
  return answer;
}
