// The Worker as it is deployed, and beside it what is measured inside the same isolate: POST /bench/NAME.
import { createApp } from "../../functions/app.ts";
import type { Bindings } from "../../functions/http/env.ts";
import { batches } from "./batches.ts";
import { cold } from "./cold.ts";
import { floor } from "./floor.ts";
import { lengths } from "./lengths.ts";
import { lookups } from "./lookups.ts";
import { merge } from "./merge.ts";
import { overhead } from "./overhead.ts";
import { runs } from "./runs.ts";

const app = createApp();
const PREFIX = "/bench/";

/** By name; each takes its parameters as JSON, and answers with JSON. */
const measures = { batches, cold, floor, lengths, merge, overhead, runs };

/** By name; each takes its parameters as JSON, and answers with a stream, for whoever reads it to take the time. */
const streams = { lookups };

export type Measures = typeof measures;

export default {
  async fetch(request: Request, env: Bindings, context: ExecutionContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(PREFIX)) return await app.fetch(request, env, context);
    const name = pathname.slice(PREFIX.length);
    if (name in streams) {
      const stream = streams[name as keyof typeof streams];
      // Compressed, it would be kept back until it has ended.
      const headers = { "content-encoding": "identity" };
      return new Response(stream(await request.json(), { app, env, context }), { headers });
    }
    const measure = measures[name as keyof Measures];
    if (!measure) return Response.json({ error: `There is nothing to measure at ${pathname}.` }, { status: 404 });
    try {
      return Response.json(await measure(await request.json(), { app, env, context }));
    } catch (error) {
      return Response.json(
        { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
        { status: 500 },
      );
    }
  },
} satisfies ExportedHandler<Bindings>;
