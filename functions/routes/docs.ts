import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { NONCE, secureHeaders } from "hono/secure-headers";
import style from "../../dist/pages/viewer.css.gz";
import viewer from "../../dist/pages/viewer.js.gz";
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

/**
 * Sends a part of the viewer, which changes only with a deploy. A caller that does not accept gzip gets it unpacked:
 * Cloudflare does this by itself, `wrangler dev` does not.
 */
const answerPacked = (packed: ArrayBuffer, type: string) => (c: Context<AppEnv>) => {
  const headers = { "content-type": type, "cache-control": "public, max-age=3600", vary: "accept-encoding" };
  if (accepts(c, { header: "Accept-Encoding", supports: ["gzip"], default: "" }) === "")
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")), { headers });
  return new Response(packed, { headers: { ...headers, "content-encoding": "gzip" }, encodeBody: "manual" });
};

/** `GET /docs`: the API's description to read and to try, drawn by Swagger UI. */
export const docsRoutes = new Hono<AppEnv>()
  .get("/docs", pageHeaders, (c) => c.html(page.replaceAll("%NONCE%", c.get("secureHeadersNonce") ?? "")))
  .get("/docs/viewer.js", answerPacked(viewer, "text/javascript"))
  .get("/docs/viewer.css", answerPacked(style, "text/css"));
