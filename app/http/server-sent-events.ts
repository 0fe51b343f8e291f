import type { Context } from "hono";
import type { AppEnv } from "./env.ts";
import { toFault } from "./error-handler.ts";
import { problemOf } from "./problem.ts";

/** The media type of server-sent events. */
export const EVENT_STREAM = "text/event-stream";

/** Sends an event to the caller. */
export type Send = (event: string, data: object) => Promise<void>;

/**
 * Answers with server-sent events (HTML, section 9.2) while work runs.
 *
 * An error before the first event is an ordinary error answer; later it is the last event, `problem`. A disconnect
 * aborts the signal.
 *
 * @param work is kept alive until it ends
 */
export async function answerEvents(
  c: Context<AppEnv>,
  work: (send: Send, signal: AbortSignal) => Promise<void>,
): Promise<Response> {
  const encoder = new TextEncoder();
  const abort = new AbortController();
  const started = Promise.withResolvers<void>();
  const { promise, resolve: ended } = Promise.withResolvers<void>();
  const onDisconnect = () => {
    c.set("aborted", true);
    abort.abort(new Error("the caller disconnected"));
  };
  // Before the first event there is no body that could be cancelled.
  const { signal } = c.req.raw;
  if (signal.aborted) onDisconnect();
  else signal.addEventListener("abort", onDisconnect, { once: true });
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (opened) => {
      controller = opened;
    },
    cancel: onDisconnect,
  });
  let hasStarted = false;
  const send: Send = async (event, data) => {
    hasStarted = true;
    started.resolve();
    // Releasing nothing tells the budget that the request is alive.
    c.get("bodyReservation")?.release(0);
    if (!abort.signal.aborted)
      controller?.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  };

  async function fail(error: unknown): Promise<void> {
    // After a disconnect nobody reads the error, and the service has no fault.
    if (abort.signal.aborted) return started.resolve();
    if (!hasStarted) return started.reject(error);
    const fault = toFault(c, error);
    c.set("problem", fault.code);
    await send("problem", problemOf(c, fault));
  }

  async function run(): Promise<void> {
    try {
      await work(send, abort.signal).catch(fail);
      if (!abort.signal.aborted) controller?.close();
    } finally {
      // The body budget and the request log wait for this.
      ended();
    }
  }

  c.set("streaming", promise);
  c.executionCtx.waitUntil(run());
  try {
    await started.promise;
  } catch (error) {
    c.set("streaming", undefined);
    throw error;
  }
  return c.body(body, 200, { "content-type": EVENT_STREAM, "cache-control": "no-store" });
}
