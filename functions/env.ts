import type { OpenAPIHono } from "@hono/zod-openapi";
import type { RequestIdVariables } from "hono/request-id";
import type { SecureHeadersVariables } from "hono/secure-headers";

/** What wrangler.toml binds. */
export interface Bindings {
  readonly DB: D1Database;
  /** The bundle's files. */
  readonly ASSETS: Fetcher;
  /** Seconds a row may be answered from the cache, as decimal digits; 0 keeps no rows. */
  readonly CACHE_TTL_SECONDS: string;
}

/** Hono's environment of this Worker. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: RequestIdVariables & SecureHeadersVariables;
}

export type App = OpenAPIHono<AppEnv>;
