import type { Context } from "hono";
import { createBudget } from "../../src/lib/budget.ts";
import { overloadedError } from "../../src/serving/overload.ts";
import type { AppEnv } from "../http/env.ts";
import { MAX_BODY_BYTES_IN_FLIGHT } from "../platform/settings.ts";

/** Longer than any request takes, or a stream for its next line. */
const FORGET_HELD_MS = 10 * 60_000;

/** What the isolate's requests hold together. */
const held = createBudget({ most: MAX_BODY_BYTES_IN_FLIGHT, forgetAfterMs: FORGET_HELD_MS });

/** What a request takes whatever its body: its own objects, headers, answer. */
const REQUEST_BYTES = 4 * 1024;

/** Nobody knows when the others are answered; most are within this. */
const RETRY_SECONDS = 1;

/**
 * Does a request's work with room for its body, or refuses it where the bodies of others leave none.
 *
 * @param bytes most that is held of the body at once
 * @param ended where the answer goes on after the work is done: what settles at its end
 * @throws XpeftError `overloaded`
 */
export async function reserveBytes<Result>(
  c: Context<AppEnv>,
  bytes: number,
  work: () => Promise<Result>,
  ended: () => Promise<void> | undefined = () => undefined,
): Promise<Result> {
  const share = held.tryReserve(REQUEST_BYTES + bytes);
  if (!share)
    throw overloadedError("bodies", "Send the request again after retryAfterSeconds or later.", RETRY_SECONDS);
  c.set("held", share);
  const done = work();
  const released = done.then(ended, () => {}).finally(() => share.close());
  // A caller who hangs up ends its request unless something waits, and what the request holds would be lost for good.
  c.executionCtx.waitUntil(released);
  return await done;
}
