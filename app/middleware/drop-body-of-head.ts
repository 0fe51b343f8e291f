import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/env.ts";

/** Cancels the body of an answer to HEAD, which is GET's: nobody reads it, so its file or its stream would stay open. */
export const dropBodyOfHead = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  if (c.req.method === "HEAD") await c.res.body?.cancel();
});
