import { type Context, Hono } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";
import compareAnswers from "../../playground/compare/answers.html";
import compareAsking from "../../playground/compare/asking.html";
import compareOverlap from "../../playground/compare/overlap.html";
import compareTrial from "../../playground/compare/trial.html";
import compare from "../../playground/index.html";
import asking from "../../playground/learn/asking.html";
import changes from "../../playground/learn/changes.html";
import examples from "../../playground/learn/examples.html";
import learning from "../../playground/learn/learning.html";
import learnt from "../../playground/learn/learnt.html";
import rows from "../../playground/learn/rows.html";
import state from "../../playground/learn/state.html";
import learn from "../../playground/learn.html";
import masks from "../../playground/masks.html";
import shared from "../../playground/shared.html";
import type { AppEnv } from "../http/env.ts";

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

/** Scripts of the pages, in the order of what happens there; those of a page see each other's names. */
const COMPARE_PARTS = [masks, compareAsking, compareAnswers, compareOverlap, compareTrial].join("");
const LEARN_PARTS = [masks, state, examples, rows, asking, learning, learnt, changes].join("");

const answerPage = (page: string, parts: string) => (c: Context<AppEnv>) =>
  c.html(
    page
      .replace("%SHARED%", () => shared)
      .replace("%PARTS%", () => parts)
      .replaceAll("%NONCE%", c.get("secureHeadersNonce") ?? ""),
  );

/** `GET /`: a page that tries many profiles of a task on one text, or on labelled ones. `GET /learn`: a page that learns a profile from a few sentences. */
export const playgroundRoutes = new Hono<AppEnv>()
  .get("/", pageHeaders, answerPage(compare, COMPARE_PARTS))
  .get("/learn", pageHeaders, answerPage(learn, LEARN_PARTS));
