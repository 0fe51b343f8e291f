import type { Context } from "hono";
import { StreamAborted } from "../../src/lib/ndjson.ts";
import type { AppEnv } from "./env.ts";
import { toFault } from "./error-handler.ts";
import { problemOf } from "./problem.ts";
import type { Fault } from "./problem-codes.ts";

/** The media type of JSON Lines. Typed as string, or the routes' types would treat it as JSON. */
export const NDJSON: string = "application/x-ndjson";

/** Returns the body as a stream. */
export function bodyStream(c: Context<AppEnv>): ReadableStream<Uint8Array> {
  return c.req.raw.body ?? new ReadableStream({ start: (controller) => controller.close() });
}

/**
 * Streams text as an answer. An error after the first byte becomes the last line, `{"error": problem}`. A disconnect
 * ends the work.
 */
export function streamAnswer(c: Context<AppEnv>, text: AsyncGenerator<string>): Response {
  const encoder = new TextEncoder();
  const { promise, resolve: ended } = Promise.withResolvers<void>();
  c.set("streaming", promise);
  // Only the end of a generator that has begun frees what it holds, and a disconnect may come before the first pull.
  let first: ReturnType<typeof text.next> | undefined = text.next();
  first.catch(() => {});
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await (first ?? text.next());
        first = undefined;
        // Releasing nothing tells the budget that the request is alive.
        c.get("bodyReservation")?.release(0);
        // A disconnect has closed the stream while the text was made.
        if (c.get("aborted")) return;
        if (!done) return controller.enqueue(encoder.encode(value));
      } catch (error) {
        // After a disconnect nobody reads the error, and the service has no fault.
        if (c.get("aborted")) return;
        if (error instanceof StreamAborted) {
          c.set("aborted", true);
        } else {
          const fault = toFault(c, error);
          c.set("problem", fault.code);
          controller.enqueue(encoder.encode(`${JSON.stringify({ error: problemOf(c, fault) })}\n`));
        }
      }
      controller.close();
      ended();
    },
    async cancel() {
      c.set("aborted", true);
      await text.return(undefined);
      ended();
    },
  });
  return c.body(body, 200, { "content-type": NDJSON });
}

/** Returns what describes the faults of single lines. A fault of the service can hit every line; the log has it once. */
export function lineProblems(c: Context<AppEnv>): (fault: Fault) => ReturnType<typeof problemOf> {
  const logged = new Set<string>();
  return (fault) => {
    const isNew = !logged.has(fault.code);
    logged.add(fault.code);
    return problemOf(c, isNew ? toFault(c, fault) : fault);
  };
}
