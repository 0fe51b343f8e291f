import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/env.ts";
import { RequestError } from "../http/problem-codes.ts";
import type { Limit } from "../platform/platform.ts";

/** Returns the name under which a caller's address is counted. */
export const callerAddress = (c: Context<AppEnv>): string => `address:${c.env.callerAddress}`;

async function count(limit: Limit | null, caller: string, message: string): Promise<void> {
  if (limit === null || (await limit(caller))) return;
  throw new RequestError("rate_limited", message, "Wait for the seconds in Retry-After.");
}

/** Counts a request against a caller's rate limit. @throws RequestError `rate_limited` */
export const countRequest = (c: Context<AppEnv>, caller: string): Promise<void> =>
  count(c.env.platform.limits.requests, caller, "Too many requests from this caller.");

/** Rejects callers over their rate limit for learning. */
export const limitLearning = createMiddleware<AppEnv>(async (c, next) => {
  await count(c.env.platform.limits.learning, c.get("caller"), "Too many learning requests from this caller.");
  await next();
});

/** Accepts any caller up to a rate limit of its own, by address. */
export const allowAnyone = createMiddleware<AppEnv>(async (c, next) => {
  await countRequest(c, `unguarded ${callerAddress(c)}`);
  await next();
});
