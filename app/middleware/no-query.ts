import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/env.ts";
import { RequestError } from "../http/problem-codes.ts";

/** Rejects query parameters on a route that has none: the caller meant something by them. */
export const noQuery = createMiddleware<AppEnv>(async (c, next) => {
  const [name] = Object.keys(c.req.query());
  if (name !== undefined) {
    throw new RequestError(
      "invalid_request",
      `the query: Unrecognized key: ${JSON.stringify(name)}`,
      "GET /openapi.json gives the schema of every request.",
    );
  }
  await next();
});
