import { OpenAPIHono } from "@hono/zod-openapi";
import { getPath } from "hono/utils/url";
import type { App, AppEnv } from "./env.ts";
import { onInvalid } from "./validation.ts";

/** Returns a path without slashes that mean nothing: at its end, or doubled where a base URL ended with one. */
const plainPath = (request: Request): string =>
  getPath(request)
    .replace(/\/{2,}/g, "/")
    .replace(/(.)\/$/, "$1");

/** Creates a router that validates requests by the routes' schemas. */
export const createRouter = (): App => new OpenAPIHono<AppEnv>({ defaultHook: onInvalid, getPath: plainPath });

/** OpenAPI security of a route that needs a key. */
export const BY_KEY: Record<string, string[]>[] = [{ key: [] }];

/** OpenAPI security of a route that accepts a key or a profile token. */
export const BY_KEY_OR_TOKEN: Record<string, string[]>[] = [{ key: [] }, { token: [] }];
