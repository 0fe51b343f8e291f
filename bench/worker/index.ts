// The deployed Worker, and measurements inside its isolate: POST /bench/NAME.
import worker from "../../functions/index.ts";
import type { Bindings } from "../../functions/platform/bindings.ts";
import { cold } from "./cold.ts";
import { coldEngine, engines } from "./engines.ts";
import { lookups } from "./lookups.ts";
import { merge } from "./merge.ts";
import { overhead } from "./overhead.ts";
import { requests } from "./requests.ts";
import { runs } from "./runs.ts";

const PREFIX = "/bench/";

/** By name; parameters and result are JSON. */
const measurements = { cold, coldEngine, engines, merge, overhead, requests, runs };

export type Measurements = typeof measurements;

export default {
  async fetch(request: Request, env: Bindings, context: ExecutionContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(PREFIX)) return await worker.fetch(request, env, context);
    const name = pathname.slice(PREFIX.length);
    // The client measures these by the times at which lines arrive; compression would delay them.
    if (name === "lookups")
      return new Response(lookups(await request.json(), env), { headers: { "content-encoding": "identity" } });
    const measure = measurements[name as keyof Measurements];
    if (!measure) return Response.json({ error: `There is no measurement "${name}".` }, { status: 404 });
    try {
      return Response.json(await measure(await request.json(), { env, context }));
    } catch (error) {
      return Response.json(
        { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
        { status: 500 },
      );
    }
  },
} satisfies ExportedHandler<Bindings>;
