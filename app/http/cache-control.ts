import type { Context } from "hono";
import type { AppEnv } from "./env.ts";

/** Returns whether the caller asks to skip the caches. */
export function wantsFresh(c: Context<AppEnv>): boolean {
  const directives = (c.req.header("cache-control") ?? "").toLowerCase().split(",");
  return directives.some((directive) => directive.trim() === "no-cache");
}
