// The Worker as it is deployed, and beside it what is measured inside the same isolate: POST /bench/NAME.
import { createApp } from "../../functions/app.ts";
import type { Bindings } from "../../functions/env.ts";
import { merge } from "./merge.ts";
import { overhead } from "./overhead.ts";

const app = createApp();
const PREFIX = "/bench/";

/** By name; each takes its parameters as JSON, and answers with JSON. */
const measures = { overhead, merge };

export type Measures = typeof measures;

export default {
  async fetch(request: Request, env: Bindings, context: ExecutionContext): Promise<Response> {
    const { pathname, origin } = new URL(request.url);
    if (!pathname.startsWith(PREFIX)) return await app.fetch(request, env, context);
    const measure = measures[pathname.slice(PREFIX.length) as keyof Measures];
    if (!measure) return Response.json({ error: `There is nothing to measure at ${pathname}.` }, { status: 404 });
    const ask = async (body: string) => {
      const headers = { "content-type": "application/json" };
      const response = await app.fetch(
        new Request(`${origin}/v1/predict`, { method: "POST", headers, body }),
        env,
        context,
      );
      if (!response.ok) throw new Error(`The Worker answered ${response.status}: ${await response.text()}`);
      return response;
    };
    try {
      return Response.json(await measure(await request.json(), env, ask));
    } catch (error) {
      return Response.json(
        { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
        { status: 500 },
      );
    }
  },
} satisfies ExportedHandler<Bindings>;
