import { base64url, decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import { XpeftError } from "../errors.ts";
import { base64Schema, toBase64 } from "../lib/base64.ts";
import { bytesFromFloats, floatsFromBytes } from "../lib/floats.ts";
import { sha256 } from "../lib/sha256.ts";
import { onlyKnown, packOnlyKnown } from "../profiles/known-labels.ts";
import type { ProfileParts, StoredProfile } from "../profiles/profile.ts";
import { headShapeOf, knownOf } from "../profiles/profile-head.ts";
import type { Task, TaskParts } from "../profiles/task.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** The longest token: with the other headers, it fits the platform's limit of 128 KB. */
export const MAX_TOKEN_BYTES = 96 * 1024;

const ALGORITHM = "HS256";
const TYPE = "xpeft-profile+jwt";

/** Seconds by which two clocks may differ. */
const LEEWAY = 60;

/** What a token contains: only the profile's parts, or all that a prediction needs. */
export type TokenContents = "profile" | "all";

/** The profile of a token. */
export interface TokenProfile {
  readonly task: string;
  readonly profile: string;
  /** Generation of the row from which the token was made. */
  readonly generation: number;
  readonly parts: ProfileParts;
  /** The task when the token was made; null if the token does not contain it. */
  readonly taskParts: TaskParts | null;
  /** The expected hash of the task's parts, by {@link hashTask}. */
  readonly taskHash: string;
}

/** The request that a token came with. */
export interface TokenUse {
  /** Ids of the bundles whose tasks the running bundle serves. */
  readonly bundles: readonly string[];
  readonly task: string;
  /** Null if the token itself names the profile. */
  readonly profile: string | null;
}

const claimsSchema = z.object({
  aud: z.string().regex(/^[0-9a-f]{32}\/[^/]+$/),
  sub: z.string(),
  gen: z.int().min(1),
  iat: z.int(),
  nbf: z.int(),
  exp: z.int(),
  masks: base64Schema,
  bias: base64Schema.optional(),
  hash: z.string(),
  task: z
    .object({
      labels: z.array(z.string()).min(1),
      maxTokens: z.int().min(3),
      head: base64Schema,
      adapter: base64Schema.optional(),
    })
    .optional(),
});

/** Returns a hash of the task's parts that determine answers: the first 16 bytes of a SHA-256, base64url. */
export async function hashTask({ labels, maxTokens, head, adapter }: TaskParts): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([labels, maxTokens]));
  const parts = [text, bytesFromFloats(head), ...(adapter ? [adapter] : [])];
  const digests = new Uint8Array((await Promise.all(parts.map(sha256))).flatMap((digest) => [...digest]));
  return base64url.encode((await sha256(digests)).subarray(0, 16));
}

/**
 * Returns a signed token of a profile, as docs/formats.md describes it.
 *
 * @param carry whether the token contains the task's labels, head and adapter, so that a prediction needs no database
 * @param ttlSeconds how long the token is valid
 * @param until when the token ends at the latest; null for no limit
 * @throws XpeftError `token_too_large` if it would be over {@link MAX_TOKEN_BYTES}; `invalid_label_bias` if the profile
 * is damaged and its known labels are needed
 */
export async function signToken(
  keys: SigningKeys,
  task: Task,
  profile: StoredProfile,
  { carry, ttlSeconds, until, now }: { carry: TokenContents; ttlSeconds: number; until: Date | null; now: Date },
): Promise<{ token: string; expiresAt: Date }> {
  const seconds = Math.floor(now.getTime() / 1000);
  const latest = until === null ? Number.POSITIVE_INFINITY : Math.floor(until.getTime() / 1000);
  const expires = Math.min(seconds + ttlSeconds, latest);
  // Who holds the token can read it, so it has only the labels that the profile knows.
  const known = carry === "all" ? knownOf(profile.labelBias, headShapeOf(task)) : null;
  const carried = onlyKnown(task, known);
  const bias = known ? packOnlyKnown(profile.labelBias, known, headShapeOf(task)) : profile.labelBias;
  const claims: JWTPayload = {
    aud: `${task.bundle}/${task.name}`,
    sub: profile.id,
    gen: profile.generation,
    iat: seconds,
    nbf: seconds,
    exp: expires,
    masks: toBase64(profile.masks),
    ...(bias && { bias: toBase64(bias) }),
    hash: await hashTask(task),
    ...(carry === "all" && {
      task: {
        labels: carried.labels,
        maxTokens: task.maxTokens,
        head: toBase64(bytesFromFloats(carried.head)),
        ...(task.adapter && { adapter: toBase64(task.adapter) }),
      },
    }),
  };
  const header = { alg: ALGORITHM, kid: keys.current, typ: TYPE };
  const token = await new SignJWT(claims).setProtectedHeader(header).sign(keyOf(keys, keys.current));
  if (token.length > MAX_TOKEN_BYTES) {
    const contents = carry === "profile" ? "the profile" : `the task's head${task.adapter ? " and adapter" : ""}`;
    const message = `The token would have ${token.length} bytes with ${contents}; the limit is ${MAX_TOKEN_BYTES}.`;
    throw new XpeftError("token_too_large", message, { reason: carry });
  }
  return { token, expiresAt: new Date(expires * 1000) };
}

/**
 * Returns the profile of a token, checked for its request.
 *
 * @throws XpeftError a code that begins with `token_`
 */
export async function readToken(token: string, keys: SigningKeys, use: TokenUse, now: Date): Promise<TokenProfile> {
  if (token.length > MAX_TOKEN_BYTES) {
    const message = `The token has ${token.length} bytes; the limit is ${MAX_TOKEN_BYTES}.`;
    throw new XpeftError("token_too_large", message, { reason: "received" });
  }
  const claims = claimsSchema.safeParse(await verify(token, keys, now));
  if (!claims.success) {
    throw new XpeftError(
      "token_incomplete",
      `The token is signed, but its ${claims.error.issues[0]?.path.join(".")} is wrong.`,
    );
  }
  const { aud, sub, gen, masks, bias, hash, task } = claims.data;
  const [bundle = "", name = ""] = aud.split("/");
  if (!use.bundles.includes(bundle)) {
    throw new XpeftError("token_other_bundle", `The token is for bundle ${bundle}, not ${use.bundles.join(" or ")}.`);
  }
  if (name !== use.task)
    throw new XpeftError("token_other_task", `The token is for task "${name}", not "${use.task}".`);
  if (use.profile !== null && sub !== use.profile) throw otherProfileError(sub, use.profile);
  return {
    task: name,
    profile: sub,
    generation: gen,
    parts: { masks, labelBias: bias ?? null },
    taskHash: hash,
    taskParts: task ? { name, bundle, ...task, head: floatsFromBytes(task.head), adapter: task.adapter ?? null } : null,
  };
}

async function verify(token: string, keys: SigningKeys, now: Date): Promise<unknown> {
  try {
    const { alg, kid = "", typ } = decodeProtectedHeader(token);
    if (alg !== ALGORITHM)
      throw new XpeftError("token_other_algorithm", `The token is signed by ${alg}, not ${ALGORITHM}.`);
    if (typ !== TYPE) throw new XpeftError("token_malformed", "The token is not of the type of a profile token.");
    const { payload } = await jwtVerify(token, keyOf(keys, kid), {
      algorithms: [ALGORITHM],
      currentDate: now,
      clockTolerance: LEEWAY,
    });
    return payload;
  } catch (error) {
    if (error instanceof XpeftError) throw error;
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      throw new XpeftError("token_forged", "The token's signature does not match its content.");
    }
    if (error instanceof errors.JWTExpired) throw new XpeftError("token_expired", "The token has expired.");
    const isEarly = error instanceof errors.JWTClaimValidationFailed && error.claim === "nbf";
    if (isEarly && error.reason === "check_failed") {
      throw new XpeftError("token_not_yet_valid", "The token is not valid yet.");
    }
    if (error instanceof errors.JWTClaimValidationFailed) {
      throw new XpeftError("token_incomplete", `The token is signed, but its ${error.claim} is wrong.`);
    }
    throw new XpeftError("token_malformed", "This is not a profile token.");
  }
}

function keyOf(keys: SigningKeys, id: string): Uint8Array {
  const key = keys.byId.get(id);
  if (!key) throw new XpeftError("token_unknown_key", "The key that signed the token is unknown or was removed.");
  return key;
}

/** Returns the error for a token of another profile than the requested one. */
export function otherProfileError(profile: string, requested: string): XpeftError {
  return new XpeftError("token_other_profile", `The token is of profile "${profile}", not "${requested}".`);
}
