import { OpenAPIHono } from "@hono/zod-openapi";
import type { App, AppEnv } from "./env.ts";
import { onInvalid } from "./validation.ts";

/** A router whose routes refuse what their schemas refuse. */
export const createRouter = (): App => new OpenAPIHono<AppEnv>({ defaultHook: onInvalid });

/** Says in the API's description that a route needs a key. */
export const BY_KEY: Record<string, string[]>[] = [{ key: [] }];

/** Says in the API's description that a route takes a key or a profile token. */
export const BY_KEY_OR_TOKEN: Record<string, string[]>[] = [{ key: [] }, { token: [] }];
