import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { requireScope, type Scope } from "../../src/auth/access.ts";
import { BOOKMARK, bookmarksOf } from "../http/bookmarks.ts";
import type { AppEnv } from "../http/env.ts";
import type { ProblemCode } from "../http/problem-codes.ts";
import { BY_KEY, BY_KEY_OR_TOKEN } from "../http/router.ts";
import { readCredential } from "./credentials.ts";

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

/**
 * Rejects callers whose key lacks a scope, and callers over their rate limit.
 *
 * @param options.tokens whether a profile token is accepted too; the route must then check it, as `tokenProfile` does
 */
function requireAccess(scope: Scope, { tokens = false } = {}) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const access = await readCredential(c, scope, tokens);
    requireScope(access, scope);
    // A malformed bookmark is rejected even if the route does not need it.
    bookmarksOf(c.req.header(BOOKMARK), c.env.platform.databases.count());
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
