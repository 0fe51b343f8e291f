import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { XpeftError } from "../../src/errors.ts";
import type { AppEnv } from "../http/env.ts";
import { type ProblemCode, RequestError } from "../http/problem-codes.ts";
import { declaredBytes, reserveBytes } from "./body-budget.ts";

/** Problems of every route with a JSON body. */
export const BODY_PROBLEMS = [
  "invalid_json",
  "invalid_unicode",
  "unsupported_media_type",
  "payload_too_large",
  "body_too_slow",
  "overloaded",
] as const satisfies ProblemCode[];

/** Most bytes of a body with texts. */
export const MAX_TEXTS_BYTES = 256 * 1024;

/** Most bytes of a body with a task: a head and an adapter of 1.9 MB, which a database row can hold, in base64. */
export const MAX_TASK_BYTES = 2.5 * 1024 * 1024;

/** Most bytes of a body with a profile: masks of the largest pool. */
export const MAX_PROFILE_BYTES = 512 * 1024;

/** Returns the milliseconds in which a body must arrive: ten seconds plus the time that a slow phone needs. */
const timeoutFor = (bytes: number): number => 10_000 + bytes / 32;

/** Factor on the timeout of a body without content-length: it is read piece by piece, between other work. */
const CHUNKED_TIMEOUT_FACTOR = 5;

/**
 * Reads a request's body, then continues the request. A body that takes too long ends the request: a trickling body
 * would stay in memory for as long as it likes.
 *
 * @param milliseconds in which the body must arrive
 * @param limit checks the body's size and calls its argument
 * @throws RequestError `body_too_slow`, or `invalid_json` if the body is cut off
 * @throws XpeftError `overloaded` if the rest of a chunked body does not fit into the budget
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
    // The request was answered already: its work must not start.
    if (state === "late") return;
    state = "read";
    read.resolve("read");
    await next();
  }).catch((error: unknown) => {
    if (state !== "reading" || error instanceof RequestError || error instanceof XpeftError) throw error;
    // The caller disconnected, so the service has no fault.
    throw new RequestError("invalid_json", "The body was cut off.", "Send the whole body.");
  });
  const first = await Promise.race([read.promise, late.promise, work]).finally(() => clearTimeout(timer));
  if (first !== "late") return void (await work);
  // Nobody waits for this work any more.
  work.catch(() => {});
  const seconds = Math.round(milliseconds / 1000);
  throw new RequestError(
    "body_too_slow",
    `The body did not arrive within ${seconds} seconds.`,
    "Send it without pauses.",
  );
}

const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** Rejects compressed bodies. */
export function requireIdentity(c: Context<AppEnv>): void {
  const encoding = c.req.header("content-encoding") ?? "identity";
  if (encoding.toLowerCase() === "identity") return;
  throw new RequestError(
    "unsupported_media_type",
    `The body is compressed (${encoding.slice(0, 20)}).`,
    "Send it without content-encoding.",
  );
}

/** Rejects bodies whose content type is not JSON: unread, they would pass for an empty body. */
function requireJson(c: Context<AppEnv>): void {
  if (!JSON_TYPE.test(c.req.header("content-type") ?? "")) {
    throw new RequestError(
      "unsupported_media_type",
      "The content type is not JSON.",
      "Send it with the header content-type: application/json.",
    );
  }
  requireIdentity(c);
}

/** Rejects a body that is not UTF-8: the platform would silently replace bytes by U+FFFD. */
async function requireUtf8(c: Context<AppEnv>): Promise<void> {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(await c.req.arrayBuffer());
  } catch {
    throw new RequestError("invalid_unicode", "The body is not valid UTF-8.", "Send it encoded as UTF-8.");
  }
}

/**
 * Reads a JSON body. Rejects other content types, bodies over `maxSize`, bodies that arrive too slowly, and bodies for
 * which the bodies in flight leave no capacity.
 *
 * @param hint what to do about a body that is too large
 * @param ended settles when the answer ends, if the answer goes on after the work
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
    const declared = declaredBytes(c);
    const timeout =
      declared === null ? CHUNKED_TIMEOUT_FACTOR * timeoutFor(maxSize) : timeoutFor(Math.min(declared, maxSize));
    const proceed = async () => {
      await requireUtf8(c);
      await next();
    };
    return await reserveBytes(
      c,
      maxSize,
      () => readInTime(c, timeout, (then) => limit(c, then), proceed),
      () => ended?.(c),
    );
  });
};

/** Reads a JSON body with texts. */
export const textsBody = jsonBody(
  MAX_TEXTS_BYTES,
  "Send fewer or shorter texts in one request, or a stream of them to /v1/predict/stream.",
);

/** Reads a JSON body with a text and profiles; the answer goes on after the request's work. */
export const fanOutBody = jsonBody(MAX_TEXTS_BYTES, "Send a shorter text, or fewer ids.", (c) => c.get("streaming"));

/** Reads a JSON body with examples; the answer goes on after the request's work. */
export const examplesBody = jsonBody(MAX_TEXTS_BYTES, "Send fewer or shorter examples.", (c) => c.get("streaming"));
