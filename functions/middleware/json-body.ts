import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/env.ts";
import { type ProblemCode, RequestError } from "../http/problem-codes.ts";
import { reserveBytes } from "./body-budget.ts";

/** Problems that every route with a JSON body can answer with. */
export const BODY_PROBLEMS = [
  "invalid_json",
  "invalid_unicode",
  "unsupported_media_type",
  "payload_too_large",
  "body_too_slow",
  "overloaded",
] as const satisfies ProblemCode[];

/** Bytes of a body with texts. */
export const MAX_TEXTS_BYTES = 256 * 1024;

/** Bytes of a body with a task: its head in base64 is then some 1.9 MB, which a row of the database takes. */
export const MAX_TASK_BYTES = 2.5 * 1024 * 1024;

/** Bytes of a body with a profile: masks of the largest pool. */
export const MAX_PROFILE_BYTES = 512 * 1024;

/** Milliseconds that a body of so many bytes may take to come: ten seconds, and what a slow phone needs to send it. */
const patienceFor = (bytes: number): number => 10_000 + bytes / 32;

/** How much longer one may take that does not say its length: it is read piece by piece, between what else the isolate does. */
const UNSAID = 5;

/**
 * Reads a request's body, then goes on with the request; without either where the body takes too long. A body that only trickles in
 * would keep others out for as long as it likes.
 *
 * @param milliseconds that the body may take
 * @param limit reads it no further than it may go, and calls what it is given
 * @throws RequestError `body_too_slow`, or `invalid_json` if it breaks off
 */
async function readInTime(
  c: Context<AppEnv>,
  milliseconds: number,
  limit: (then: () => Promise<void>) => Promise<unknown>,
  next: () => Promise<void>,
): Promise<void> {
  const read = Promise.withResolvers<"read">();
  const late = Promise.withResolvers<"late">();
  let state: "reading" | "read" | "late" = "reading";
  const timer = setTimeout(() => {
    if (state === "reading") state = "late";
    late.resolve("late");
  }, milliseconds);
  const work = limit(async () => {
    await c.req.arrayBuffer();
    // What comes after its answer must not be done.
    if (state === "late") return;
    state = "read";
    read.resolve("read");
    await next();
  }).catch((error: unknown) => {
    if (state !== "reading" || error instanceof RequestError) throw error;
    // The caller has gone before its end: nothing is wrong with the service.
    throw new RequestError("invalid_json", "The body was broken off.", "Send the whole of it.");
  });
  const first = await Promise.race([read.promise, late.promise, work]).finally(() => clearTimeout(timer));
  if (first !== "late") return void (await work);
  // Nobody waits for what else becomes of it.
  work.catch(() => {});
  const seconds = Math.round(milliseconds / 1000);
  throw new RequestError("body_too_slow", `The body had not come after ${seconds} seconds.`, "Send it in one go.");
}

const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** Refuses bodies that are compressed. */
export function requireIdentity(c: Context<AppEnv>): void {
  const encoding = c.req.header("content-encoding") ?? "identity";
  if (encoding.toLowerCase() === "identity") return;
  throw new RequestError(
    "unsupported_media_type",
    `Bodies that are compressed (${encoding.slice(0, 20)}) are not read.`,
    "Send it without content-encoding.",
  );
}

/** Refuses bodies that are not said to be JSON, as a body that is not read would pass for an empty one. */
function requireJson(c: Context<AppEnv>): void {
  if (!JSON_TYPE.test(c.req.header("content-type") ?? "")) {
    throw new RequestError(
      "unsupported_media_type",
      "The body is not said to be JSON.",
      "Send it with the header content-type: application/json.",
    );
  }
  requireIdentity(c);
}

/** Refuses a body that is not UTF-8, as the platform would put U+FFFD in its place without a word. */
async function requireUtf8(c: Context<AppEnv>): Promise<void> {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(await c.req.arrayBuffer());
  } catch {
    throw new RequestError("invalid_unicode", "The body is not valid UTF-8.", "Send it encoded as UTF-8.");
  }
}

/**
 * Reads a body of JSON. Refuses what is not said to be that, what is longer, also where it does not say its length, what takes too
 * long to come, and what there is no room for beside the bodies of other requests.
 *
 * @param ended where the answer goes on after the work is done: what settles at its end
 */
export const jsonBody = (maxSize: number, hint: string, ended?: (c: Context<AppEnv>) => Promise<void> | undefined) => {
  const limit = bodyLimit({
    maxSize,
    onError: () => {
      throw new RequestError("payload_too_large", `The body is over ${maxSize} bytes.`, hint);
    },
  });
  return createMiddleware<AppEnv>(async (c, next) => {
    requireJson(c);
    const said = Number(c.req.header("content-length") ?? Number.NaN);
    const bytes = Math.min(Number.isNaN(said) ? maxSize : said, maxSize);
    const patience = patienceFor(bytes) * (Number.isNaN(said) ? UNSAID : 1);
    const goOn = async () => {
      await requireUtf8(c);
      await next();
    };
    return await reserveBytes(
      c,
      bytes,
      () => readInTime(c, patience, (then) => limit(c, then), goOn),
      () => ended?.(c),
    );
  });
};

/** {@link jsonBody} with texts. */
export const textsBody = jsonBody(
  MAX_TEXTS_BYTES,
  "Send fewer or shorter texts in one request, or a stream of them to /v1/predict/stream.",
);

/** {@link textsBody} where the answer goes on after the work of the request is done. */
export const examplesBody = jsonBody(MAX_TEXTS_BYTES, "Send fewer or shorter examples.", (c) => c.get("streaming"));
