import { type Context, Hono } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "../http/env.ts";
import { answerGzipped } from "../http/gzipped.ts";
import { pageHeaders } from "../http/page-headers.ts";

/** The page's script has its hash in its address. */
const SCRIPT_MAX_AGE = 31_536_000;

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Only this Worker's script and the page's own style run, and the page can reach nothing but this Worker. */
const ownHeaders = pageHeaders({
  scriptSrc: ["'self'"],
  styleSrc: [NONCE],
  workerSrc: ["'self'"],
});

/** The worker compiles the kernels, and asks this Worker for bundle and rows. */
const workerHeaders = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], scriptSrc: ["'wasm-unsafe-eval'"], connectSrc: ["'self'"] },
});

/**
 * Returns the key that `npm start` makes for the playground; empty unless a browser on the same machine opens the page.
 * Another host's name means another site that resolves to this address, and a script that fetches the page is not a
 * document: neither gets the key.
 */
function localKeyFor({ env, req }: Context<AppEnv>): string {
  const isForwarded = req.header("x-forwarded-for") !== undefined || req.header("forwarded") !== undefined;
  const isPage = req.header("sec-fetch-dest") === "document" && !isForwarded;
  const isHere = LOOPBACK.includes(new URL(req.url).hostname) && isPage;
  return (isHere && env.platform.localPageKey) || "";
}

const answerPage = (c: Context<AppEnv>) => {
  c.header("cache-control", "no-store");
  return c.html(
    c.env.platform.pages.playground
      .replaceAll("%NONCE%", c.get("secureHeadersNonce") ?? "")
      .replaceAll("%LOCAL_KEY%", localKeyFor(c)),
  );
};

/**
 * `GET /`, `/teach` and `/profiles`: the playground, one page with three views. It compares many profiles on one text,
 * teaches a profile, and shows what profiles consist of.
 * `GET /app.js`: its script. `GET /local.js`: the worker in which it labels texts itself.
 */
export const playgroundRoutes = new Hono<AppEnv>()
  .get("/", ownHeaders, answerPage)
  .get("/teach", ownHeaders, answerPage)
  .get("/profiles", ownHeaders, answerPage)
  .get("/learn", (c) => c.redirect("/teach", 301))
  .get("/app.js", answerGzipped("app.js", "text/javascript", SCRIPT_MAX_AGE))
  .get("/local.js", workerHeaders, answerGzipped("local.js", "text/javascript", 0));
