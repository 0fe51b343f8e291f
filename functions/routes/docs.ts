import { Hono } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";
import style from "../../dist/pages/viewer.css.gz";
import viewer from "../../dist/pages/viewer.js.gz";
import page from "../../playground/docs.html";
import type { AppEnv } from "../http/env.ts";
import { answerPacked } from "../http/packed.ts";

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

/** `GET /docs`: the API's description to read and to try, drawn by Swagger UI. */
export const docsRoutes = new Hono<AppEnv>()
  .get("/docs", pageHeaders, (c) => c.html(page.replaceAll("%NONCE%", c.get("secureHeadersNonce") ?? "")))
  .get("/docs/viewer.js", answerPacked(viewer, "text/javascript"))
  .get("/docs/viewer.css", answerPacked(style, "text/css"));
