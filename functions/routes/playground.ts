import { type Context, Hono } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";
import compare from "../../playground/index.html";
import learn from "../../playground/learn.html";
import shared from "../../playground/shared.html";
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

const answerPage = (page: string) => (c: Context<AppEnv>) =>
  c.html(page.replace("%SHARED%", () => shared).replaceAll("%NONCE%", c.get("secureHeadersNonce") ?? ""));

/** `GET /`: a page that tries two profiles of a task on one text. `GET /learn`: a page that learns a profile from a few sentences. */
export const playgroundRoutes = new Hono<AppEnv>()
  .get("/", pageHeaders, answerPage(compare))
  .get("/learn", pageHeaders, answerPage(learn));
