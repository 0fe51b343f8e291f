import type { Context } from "hono";
import { XpeftError } from "../../src/errors.ts";
import { createBudget } from "../../src/lib/budget.ts";
import type { AppEnv } from "../http/env.ts";
import { MAX_BODY_BYTES_IN_FLIGHT } from "../platform/settings.ts";

/** Longer than any request takes, or a stream between two lines. */
const FORGET_AFTER_MS = 10 * 60_000;

/** Request bodies in flight in this isolate. */
const budget = createBudget({ limit: MAX_BODY_BYTES_IN_FLIGHT, forgetAfterMs: FORGET_AFTER_MS });

/** Bytes of a request apart from its body: its objects, headers and answer. */
const REQUEST_BYTES = 4 * 1024;

/** Nobody knows when the other requests end; most take less than this. */
const RETRY_SECONDS = 1;

/**
 * Reserves memory for a request's body, then does its work.
 *
 * @param bytes most bytes of the body in memory at once
 * @param ended settles when the answer ends, if the answer goes on after the work
 * @throws XpeftError `overloaded` if the bodies in flight leave no capacity
 */
export async function reserveBytes<Result>(
  c: Context<AppEnv>,
  bytes: number,
  work: () => Promise<Result>,
  ended: () => Promise<void> | undefined = () => undefined,
): Promise<Result> {
  const reservation = budget.tryReserve(REQUEST_BYTES + bytes);
  if (!reservation)
    throw new XpeftError("overloaded", "At capacity: too many bytes of request bodies are in memory.", {
      reason: "bodies",
      facts: { retryAfterSeconds: RETRY_SECONDS },
    });
  c.set("bodyReservation", reservation);
  const done = work();
  const released = done.then(ended, () => {}).finally(() => reservation.close());
  // Without waitUntil, a disconnect ends the request before the reservation is closed.
  c.executionCtx.waitUntil(released);
  return await done;
}
