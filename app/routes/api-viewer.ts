import { Hono } from "hono";
import { NONCE } from "hono/secure-headers";
import type { AppEnv } from "../http/env.ts";
import { answerGzipped } from "../http/gzipped.ts";
import { pageHeaders } from "../http/page-headers.ts";

/** The page and its viewer come from this Worker alone. Swagger UI sets styles of its own on what it draws. */
const ownHeaders = pageHeaders({
  scriptSrc: [NONCE],
  styleSrc: ["'self'", "'unsafe-inline'"],
});

/** A viewer of the last deploy still shows the API. */
const MAX_AGE = 3600;

/** `GET /api`: the API's description to read and to try, drawn by Swagger UI. */
export const apiViewerRoutes = new Hono<AppEnv>()
  .get("/api", ownHeaders, (c) =>
    c.html(c.env.platform.pages.api.replaceAll("%NONCE%", c.get("secureHeadersNonce") ?? "")),
  )
  .get("/api/viewer.js", answerGzipped("viewer.js", "text/javascript", MAX_AGE))
  .get("/api/viewer.css", answerGzipped("viewer.css", "text/css", MAX_AGE));
