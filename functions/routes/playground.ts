import { Hono } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";
import page from "../../playground/index.html";
import type { AppEnv } from "../env.ts";

/** Only the page's own script and style run, and it can reach nothing but this Worker. */
const pageHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: [NONCE],
    styleSrc: [NONCE],
    connectSrc: ["'self'"],
    imgSrc: ["data:"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** `GET /`: a page that tries two profiles of a task on one text. */
export const playgroundRoutes = new Hono<AppEnv>().get("/", pageHeaders, (c) =>
  c.html(page.replaceAll("%NONCE%", c.get("secureHeadersNonce") ?? "")),
);
