import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import type { AppEnv } from "../http/env.ts";

/**
 * Logs one line of JSON a request, and a data point if a dataset is bound; for a stream, when it ends. Neither has a
 * text, a profile id or an address.
 */
export const logRequest = createMiddleware<AppEnv>(async (c, next) => {
  const start = performance.now();
  await next();
  const streaming = c.get("streaming");
  if (!streaming) return write(c, start);
  c.executionCtx.waitUntil(streaming.then(() => write(c, start)));
});

function write(c: Context<AppEnv>, start: number): void {
  const milliseconds = Math.round((performance.now() - start) * 10) / 10;
  const entry = {
    level: "info",
    request: c.get("requestId"),
    method: c.req.method,
    route: routePath(c, -1),
    status: c.res.status,
    code: c.get("problem"),
    caller: c.get("access")?.id,
    texts: c.get("texts"),
    aborted: c.get("aborted"),
    milliseconds,
  };
  console.log(JSON.stringify(entry));
  c.env.ANALYTICS?.writeDataPoint({
    indexes: [entry.caller ?? "none"],
    blobs: [entry.method, entry.route, entry.code ?? ""],
    doubles: [entry.status, milliseconds, entry.texts ?? 0],
  });
}
