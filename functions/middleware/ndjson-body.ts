import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/env.ts";
import { NDJSON } from "../http/ndjson.ts";
import { RequestError } from "../http/problem-codes.ts";
import { reserveBytes } from "./body-budget.ts";
import { requireIdentity } from "./json-body.ts";

/** Refuses bodies that are not said to be JSON Lines. */
export const requireNdjson = createMiddleware<AppEnv>(async (c, next) => {
  const [type = ""] = (c.req.header("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== NDJSON) {
    throw new RequestError(
      "unsupported_media_type",
      "The body is not said to be JSON Lines.",
      `Send it with the header content-type: ${NDJSON}.`,
    );
  }
  requireIdentity(c);
  await next();
});

/** Holds room for what a stream has in memory at once, until its answer has ended. */
export const reserveStreamBytes = (bytes: number) =>
  createMiddleware<AppEnv>((c, next) => reserveBytes(c, bytes, next, () => c.get("streaming")));
