import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { type Access, requireScope, type Scope } from "../../src/auth/access.ts";
import { createKeyStore, looksLikeKey } from "../../src/auth/api-keys.ts";
import { BOOKMARK, bookmarksOf } from "../http/bookmarks.ts";
import { wantsFresh } from "../http/cache-control.ts";
import type { AppEnv } from "../http/env.ts";
import { type ProblemCode, RequestError } from "../http/problem-codes.ts";
import { BY_KEY, BY_KEY_OR_TOKEN } from "../http/router.ts";
import { databaseCount, keyDatabase } from "../platform/databases.ts";
import { isolateAuthenticator } from "../platform/isolate.ts";
import { readSettings } from "../platform/settings.ts";

/** Problems of every route that checks access. */
export const ACCESS_PROBLEMS = [
  "key_missing",
  "key_invalid",
  "key_expired",
  "scope_missing",
  "outside_confinement",
  "rate_limited",
  "invalid_request",
  "invalid_setting",
  "invalid_row",
  "database_unavailable",
] as const satisfies ProblemCode[];

/** Access of callers without a key, in a deploy whose predictions are public. */
const ANYONE: Access = { id: "public", scopes: ["predict"], task: null, profilePrefix: "", expiresAt: null };

/** Access of callers with a profile token. The route checks the token against the profile. */
const BEARER: Access = { id: "token", scopes: ["predict"], task: null, profilePrefix: "", expiresAt: null };

/** Hugging Face's clients send the user's login to any URL. It is for another service, so it is ignored. */
const FOREIGN = /^Bearer +hf_/i;

/** Counts a request against the caller's rate limit. @throws RequestError `rate_limited` */
async function count(c: Context<AppEnv>, caller: string): Promise<void> {
  const outcome = await c.env.RATE_LIMITER?.limit({ key: caller });
  if (outcome?.success !== false) return;
  throw new RequestError(
    "rate_limited",
    "Too many requests from this caller.",
    "Wait for as long as Retry-After says.",
  );
}

const addressOf = (c: Context<AppEnv>): string => `address:${c.req.header("cf-connecting-ip") ?? "unknown"}`;

async function accessByKey(c: Context<AppEnv>, key: string): Promise<Access> {
  const store = createKeyStore(keyDatabase(c.env));
  const authenticator = await isolateAuthenticator(c.env, c.executionCtx);
  const authenticate = async (beforeUnknownKey: () => Promise<void>): Promise<Access> => {
    const { access, wasRead } = await authenticator.authenticate(key, store, {
      fresh: wantsFresh(c),
      beforeUnknownKey,
    });
    if (wasRead) c.executionCtx.waitUntil(store.touch(access.id));
    return access;
  };
  // Guesses are counted by address, apart from valid keys: callers may share an address.
  const access = await authenticate(() => count(c, `doubted ${addressOf(c)}`));
  // A key that was valid once is not a guess.
  c.set("stillAllowed", async () => void (await authenticate(async () => {})));
  await count(c, `key:${access.id}`);
  return access;
}

async function accessOf(c: Context<AppEnv>, scope: Scope, tokens: boolean): Promise<Access> {
  const header = c.req.header("authorization");
  if (header === undefined || (tokens && FOREIGN.test(header))) {
    const { publicPredict } = readSettings(c.env);
    if (scope !== "predict" || !publicPredict) {
      throw new RequestError(
        "key_missing",
        `This needs a key with the scope "${scope}".`,
        "Send it as a header: Authorization: Bearer xpk_… Whoever runs the service makes keys, for its own database.",
      );
    }
    await count(c, addressOf(c));
    return ANYONE;
  }
  const [, credential] = /^Bearer +(\S+)$/i.exec(header) ?? [];
  if (credential !== undefined && looksLikeKey(credential)) return await accessByKey(c, credential);
  if (credential === undefined || !tokens) {
    const isToken = credential?.split(".").length === 3;
    throw new RequestError(
      "key_invalid",
      isToken ? "This is a profile token, and the route needs a key." : "This is not a key.",
      "Send a key as a header: Authorization: Bearer xpk_…",
    );
  }
  c.set("token", credential);
  await count(c, addressOf(c));
  return BEARER;
}

/**
 * Rejects callers whose key lacks a scope, and callers over their rate limit.
 *
 * @param options.tokens whether a profile token is accepted too; the route must then check it, as `tokenProfile` does
 */
function requireAccess(scope: Scope, { tokens = false } = {}) {
  return createMiddleware<AppEnv>(async (c, next) => {
    c.set("token", null);
    c.set("stillAllowed", async () => {});
    const access = await accessOf(c, scope, tokens);
    requireScope(access, scope);
    // A malformed bookmark is rejected even if the route does not need it.
    bookmarksOf(c.req.header(BOOKMARK), databaseCount(c.env));
    c.set("access", access);
    await next();
  });
}

/** Declares that a route needs a key with a scope: its security and its middleware, the access check first. */
export const byKey = <M extends MiddlewareHandler[]>(scope: Scope, ...middleware: M) => ({
  "x-scope": scope,
  security: BY_KEY,
  middleware: [requireAccess(scope), ...middleware] as [MiddlewareHandler<AppEnv>, ...M],
});

/** Declares that a route needs a key with the scope `predict`, or a profile token. */
export const byKeyOrToken = <M extends MiddlewareHandler[]>(...middleware: M) => ({
  "x-scope": "predict" as const,
  security: BY_KEY_OR_TOKEN,
  middleware: [requireAccess("predict", { tokens: true }), ...middleware] as [MiddlewareHandler<AppEnv>, ...M],
});

/**
 * Yields a stream's groups while the caller's key or token is valid: a stream may last longer than that.
 *
 * @throws XpeftError as a new request of the caller would
 */
export async function* whileAllowed<Group>(c: Context<AppEnv>, groups: AsyncIterable<Group>): AsyncGenerator<Group> {
  for await (const group of groups) {
    await c.get("stillAllowed")();
    yield group;
  }
}

/** Rejects callers over their rate limit for learning. */
export const limitLearning = createMiddleware<AppEnv>(async (c, next) => {
  const outcome = await c.env.LEARN_LIMITER?.limit({ key: `key:${c.get("access").id}` });
  if (outcome?.success === false) {
    const hint = "Wait for as long as Retry-After says.";
    throw new RequestError("rate_limited", "Too many learning requests from this caller.", hint);
  }
  await next();
});

/** Accepts any caller up to a rate limit of its own, by address. */
export const allowAnyone = createMiddleware<AppEnv>(async (c, next) => {
  await count(c, `unguarded ${addressOf(c)}`);
  await next();
});
