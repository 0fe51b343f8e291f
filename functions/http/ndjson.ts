import type { Context } from "hono";
import { StreamAborted } from "../../src/lib/ndjson.ts";
import type { AppEnv } from "./env.ts";
import { toFault } from "./error-handler.ts";
import { problemOf } from "./problem.ts";

/** The media type of JSON Lines; by its type any, as the routes' types would else take it for one of JSON's. */
export const NDJSON: string = "application/x-ndjson";

/** The body as it arrives. */
export function bodyStream(c: Context<AppEnv>): ReadableStream<Uint8Array> {
  return c.req.raw.body ?? new ReadableStream({ start: (controller) => controller.close() });
}

/**
 * Answers with text as it is made. What goes wrong once the answer has begun is its last line, `{"error": problem}`; a
 * caller who hangs up ends the work.
 */
export function streamAnswer(c: Context<AppEnv>, text: AsyncGenerator<string>): Response {
  const encoder = new TextEncoder();
  const { promise, resolve: ended } = Promise.withResolvers<void>();
  c.set("streaming", promise);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await text.next();
        // Its room is not forgotten while it goes on.
        c.get("held")?.release(0);
        if (!done) return controller.enqueue(encoder.encode(value));
      } catch (error) {
        // Where the caller has hung up there is nobody to tell, and nothing is wrong with the service.
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
