import type { Context } from "hono";
import type { AppEnv } from "./env.ts";
import { toFault } from "./error-handler.ts";
import { problemOf } from "./problem.ts";

/** The media type of server-sent events. */
export const EVENT_STREAM = "text/event-stream";

/** Sends an event to whoever listens. */
export type Send = (event: string, data: object) => Promise<void>;

/**
 * Answers with server-sent events (HTML, section 9.2) of some work as it goes on.
 *
 * What goes wrong before the first event is an error answer like any other; later it is the last event, `problem`. A caller who
 * hangs up aborts the signal.
 *
 * @param work is kept alive until it ends
 */
export async function answerEvents(
  c: Context<AppEnv>,
  work: (send: Send, signal: AbortSignal) => Promise<void>,
): Promise<Response> {
  const encoder = new TextEncoder();
  const abort = new AbortController();
  const begun = Promise.withResolvers<void>();
  const { promise, resolve: ended } = Promise.withResolvers<void>();
  const gone = () => {
    c.set("aborted", true);
    abort.abort(new Error("the caller has hung up"));
  };
  // Before the first event there is no body that could be cancelled.
  const { signal } = c.req.raw;
  if (signal.aborted) gone();
  else signal.addEventListener("abort", gone, { once: true });
  let out: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      out = controller;
    },
    cancel: gone,
  });
  let hasBegun = false;
  const send: Send = async (event, data) => {
    hasBegun = true;
    begun.resolve();
    // Its room is not forgotten while it goes on.
    c.get("held")?.release(0);
    if (!abort.signal.aborted) out?.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  };

  async function fail(error: unknown): Promise<void> {
    // Where the caller has hung up there is nobody to tell, and nothing is wrong with the service.
    if (abort.signal.aborted) return begun.resolve();
    if (!hasBegun) return begun.reject(error);
    const fault = toFault(c, error);
    c.set("problem", fault.code);
    await send("problem", problemOf(c, fault));
  }

  async function run(): Promise<void> {
    try {
      await work(send, abort.signal).catch(fail);
      if (!abort.signal.aborted) out?.close();
    } finally {
      // Whatever happens: room is held and the log waits until then.
      ended();
    }
  }

  c.set("streaming", promise);
  c.executionCtx.waitUntil(run());
  try {
    await begun.promise;
  } catch (error) {
    c.set("streaming", undefined);
    throw error;
  }
  return c.body(body, 200, { "content-type": EVENT_STREAM, "cache-control": "no-store" });
}
