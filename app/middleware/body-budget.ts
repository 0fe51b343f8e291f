import type { Context } from "hono";
import { XpeftError } from "../../src/errors.ts";
import { createBudget, type Reservation } from "../../src/lib/budget.ts";
import type { AppEnv } from "../http/env.ts";
import { CALLER_SHARE, MAX_BODY_BYTES_IN_FLIGHT } from "../platform/settings.ts";

/** Longer than any request takes, or a stream between two lines. */
const FORGET_AFTER_MS = 10 * 60_000;

/** Request bodies in flight in this isolate. */
const budget = createBudget({
  limit: MAX_BODY_BYTES_IN_FLIGHT,
  share: CALLER_SHARE,
  forgetAfterMs: FORGET_AFTER_MS,
});

/** Bytes of a request apart from its body: its objects, headers and answer. */
const REQUEST_BYTES = 4 * 1024;

/** The most requests with a body in flight in this isolate. */
export const MAX_REQUESTS_IN_FLIGHT = Math.floor(MAX_BODY_BYTES_IN_FLIGHT / REQUEST_BYTES);

/** Nobody knows when the other requests end; most take less than this. */
const RETRY_SECONDS = 1;

/** Returns the bytes of a body as its content-length declares them; null for a chunked body. */
export function declaredBytes(c: Context<AppEnv>): number | null {
  const length = c.req.header("content-length");
  return length === undefined || c.req.header("transfer-encoding") !== undefined ? null : Number(length);
}

function overloadedError(caller: string, bytes: number): XpeftError {
  const { inUse, limit } = budget.shareOf(caller);
  const kib = (amount: number) => `${Math.ceil(amount / 1024)} KiB`;
  return new XpeftError(
    "overloaded",
    `At capacity: the caller's request bodies in flight take ${kib(inUse)}, this one needs ${kib(bytes)} more, and the caller's share is ${kib(limit)}.`,
    { reason: "bodies", facts: { retryAfterSeconds: RETRY_SECONDS } },
  );
}

/** Node, Deno and Bun want a request with a streamed body to say that its answer comes after it. */
const HALF_DUPLEX = { duplex: "half" };

/** Makes the request's body reserve its bytes as they arrive, up to the most that are in memory at once. */
function reserveOnArrival(c: Context<AppEnv>, reservation: Reservation, maxBytes: number): void {
  const reader = c.req.raw.body?.getReader();
  if (!reader) return;
  let left = maxBytes;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      const bytes = Math.min(value.byteLength, left);
      if (bytes > 0 && !reservation.tryGrow(bytes)) throw overloadedError(c.get("caller"), bytes);
      left -= bytes;
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  c.req.raw = new Request(c.req.raw, { body, ...HALF_DUPLEX });
}

/**
 * Reserves memory for a request's body, then does its work. A chunked body reserves its bytes as they arrive.
 *
 * @param maxBytes most bytes of the body in memory at once
 * @param ended settles when the answer ends, if the answer goes on after the work
 * @throws XpeftError `overloaded` if the bodies in flight leave no capacity for this caller
 */
export async function reserveBytes<Result>(
  c: Context<AppEnv>,
  maxBytes: number,
  work: () => Promise<Result>,
  ended: () => Promise<void> | undefined = () => undefined,
): Promise<Result> {
  const caller = c.get("caller");
  const declared = declaredBytes(c);
  const bytes = REQUEST_BYTES + Math.min(declared ?? 0, maxBytes);
  const reservation = budget.tryReserve(bytes, caller);
  if (!reservation) throw overloadedError(caller, bytes);
  c.set("bodyReservation", reservation);
  if (declared === null) reserveOnArrival(c, reservation, maxBytes);
  const done = work();
  const released = done.then(ended, () => {}).finally(() => reservation.close());
  // Without waitUntil, a disconnect ends the request before the reservation is closed.
  c.executionCtx.waitUntil(released);
  return await done;
}
