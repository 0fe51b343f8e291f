import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import type { AppEnv } from "../http/env.ts";
import type { RequestRecord } from "../platform/record.ts";

/**
 * Logs one line of JSON a request, and hands it to whoever observes requests; for a stream, when it ends. It has no text,
 * no profile id and no address.
 */
export const logRequest = createMiddleware<AppEnv>(async (c, next) => {
  const start = performance.now();
  await next();
  const streaming = c.get("streaming");
  if (!streaming) return write(c, start);
  c.executionCtx.waitUntil(streaming.then(() => write(c, start)));
});

function write(c: Context<AppEnv>, start: number): void {
  const record: RequestRecord = {
    request: c.get("requestId"),
    method: c.req.method,
    route: routePath(c, -1),
    status: c.res.status,
    code: c.get("problem"),
    caller: c.get("access")?.id,
    texts: c.get("texts"),
    aborted: c.get("aborted"),
    milliseconds: Math.round((performance.now() - start) * 10) / 10,
  };
  console.log(JSON.stringify({ level: "info", ...record }));
  c.env.platform.observe(record, c.get("timings"), (name) => c.req.header(name));
}
