import { Hono } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";
import style from "swagger-ui-dist/swagger-ui.css";
import viewer from "swagger-ui-dist/swagger-ui-bundle.js";
import page from "../../playground/docs.html";
import type { AppEnv } from "../http/env.ts";

/** The page and its viewer come from this Worker alone. Swagger UI sets styles of its own on what it draws. */
const pageHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: [NONCE],
    styleSrc: ["'self'", "'unsafe-inline'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'", "data:"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** The viewer changes only with a deploy. */
const VIEWER_CACHE = "public, max-age=3600";

/** `GET /docs`: the API's description to read and to try, drawn by Swagger UI. */
export const docsRoutes = new Hono<AppEnv>()
  .get("/docs", pageHeaders, (c) => c.html(page.replaceAll("%NONCE%", c.get("secureHeadersNonce") ?? "")))
  .get("/docs/viewer.js", (c) =>
    c.body(viewer, 200, { "content-type": "text/javascript", "cache-control": VIEWER_CACHE }),
  )
  .get("/docs/viewer.css", (c) => c.body(style, 200, { "content-type": "text/css", "cache-control": VIEWER_CACHE }));
