import { type Context, Hono } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";
import comparePage from "../../dist/pages/compare.html";
import learnPage from "../../dist/pages/learn.html";
import localScript from "../../dist/pages/local.js.gz";
import type { AppEnv } from "../http/env.ts";
import { answerGzipped } from "../http/gzipped.ts";

/** Only the page's own script and style run, and it can reach nothing but this Worker. */
const pageHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: [NONCE],
    styleSrc: [NONCE],
    workerSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["data:"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** The worker compiles the kernels, and asks this Worker for bundle and rows. */
const workerHeaders = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], scriptSrc: ["'wasm-unsafe-eval'"], connectSrc: ["'self'"] },
});

const answerPage = (page: string) => (c: Context<AppEnv>) =>
  c.html(page.replaceAll("%NONCE%", c.get("secureHeadersNonce") ?? ""));

/**
 * `GET /`: a page that compares many profiles of a task on one text, shows what all of them say, and ranks them on
 * labelled texts.
 * `GET /learn`: a page that learns a profile from a few sentences.
 * `GET /local.js`: the worker in which the first page labels texts itself.
 */
export const playgroundRoutes = new Hono<AppEnv>()
  .get("/", pageHeaders, answerPage(comparePage))
  .get("/learn", pageHeaders, answerPage(learnPage))
  .get("/local.js", workerHeaders, answerGzipped(localScript, "text/javascript", 0));
