import { OpenAPIHono } from "@hono/zod-openapi";
import type { App, AppEnv } from "./env.ts";
import { onInvalid } from "./validation.ts";

/** Creates a router that validates requests by the routes' schemas. A slash at the end of a path changes nothing. */
export const createRouter = (): App => new OpenAPIHono<AppEnv>({ defaultHook: onInvalid, strict: false });

/** OpenAPI security of a route that needs a key. */
export const BY_KEY: Record<string, string[]>[] = [{ key: [] }];

/** OpenAPI security of a route that accepts a key or a profile token. */
export const BY_KEY_OR_TOKEN: Record<string, string[]>[] = [{ key: [] }, { token: [] }];
