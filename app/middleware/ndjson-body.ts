import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/env.ts";
import { NDJSON } from "../http/ndjson.ts";
import { RequestError } from "../http/problem-codes.ts";
import { reserveBytes } from "./body-budget.ts";
import { requireIdentity } from "./json-body.ts";

/** Rejects bodies whose content type is not JSON Lines. */
export const requireNdjson = createMiddleware<AppEnv>(async (c, next) => {
  const [type = ""] = (c.req.header("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== NDJSON) {
    throw new RequestError(
      "unsupported_media_type",
      "The content type is not JSON Lines.",
      `Send it with the header content-type: ${NDJSON}.`,
    );
  }
  requireIdentity(c);
  await next();
});

/** Reserves the bytes that a stream has in memory at once, until its answer ends. */
export const reserveStreamBytes = (maxBytes: number) =>
  createMiddleware<AppEnv>((c, next) => reserveBytes(c, maxBytes, next, () => c.get("streaming")));
