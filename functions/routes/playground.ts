import { type Context, Hono } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";
import compare from "../../playground/index.html";
import asking from "../../playground/learn/asking.html";
import examples from "../../playground/learn/examples.html";
import learning from "../../playground/learn/learning.html";
import learnt from "../../playground/learn/learnt.html";
import masks from "../../playground/learn/masks.html";
import rows from "../../playground/learn/rows.html";
import state from "../../playground/learn/state.html";
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

/** Scripts of the page that learns, in the order of what happens there; they see each other's names. */
const LEARN_PARTS = [state, examples, rows, asking, learning, learnt, masks].join("");

const answerPage =
  (page: string, parts = "") =>
  (c: Context<AppEnv>) =>
    c.html(
      page
        .replace("%SHARED%", () => shared)
        .replace("%PARTS%", () => parts)
        .replaceAll("%NONCE%", c.get("secureHeadersNonce") ?? ""),
    );

/** `GET /`: a page that tries two profiles of a task on one text. `GET /learn`: a page that learns a profile from a few sentences. */
export const playgroundRoutes = new Hono<AppEnv>()
  .get("/", pageHeaders, answerPage(compare))
  .get("/learn", pageHeaders, answerPage(learn, LEARN_PARTS));
