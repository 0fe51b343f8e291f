import type { Context, ErrorHandler, NotFoundHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { XpeftError } from "../../src/errors.ts";
import type { AppEnv } from "./env.ts";
import { problem } from "./problem.ts";
import { type Fault, RequestError, statusOf } from "./problem-codes.ts";

/** Returns the last error in a chain of causes: the platform's. */
function rootCause(error: Error): Error {
  return error.cause instanceof Error ? rootCause(error.cause) : error;
}

/** Returns an error's stack frames without its message, which may quote a caller's text. */
function framesOf(error: Error): string[] {
  return (error.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at "));
}

function log(request: string, entry: Record<string, unknown>): void {
  console.error(JSON.stringify({ level: "error", request, ...entry }));
}

/** Returns the error for an exception that Hono threw; null for others. */
function fromHono(error: HTTPException): RequestError | null {
  if (error.status === 415) {
    return new RequestError(
      "unsupported_media_type",
      "The content type is not JSON.",
      "Send it with the header content-type: application/json.",
    );
  }
  if (error.status === 400) {
    return new RequestError("invalid_json", "The body cannot be read as JSON.", "Send one JSON object.");
  }
  return null;
}

/**
 * Returns the fault of a thrown error. Faults of the service are logged as one line of JSON, without texts.
 */
export function toFault(c: Context<AppEnv>, thrown: unknown): Fault {
  const error = thrown instanceof HTTPException ? (fromHono(thrown) ?? thrown) : thrown;
  if (error instanceof RequestError) return error;
  const request = c.get("requestId");
  if (error instanceof XpeftError) {
    // Being at capacity is no fault of the service, and every request is logged anyway.
    if (statusOf(error.code) >= 500 && error.code !== "overloaded" && error.code !== "learning_busy") {
      log(request, { code: error.code, message: error.message, cause: rootCause(error).message });
    }
    return error;
  }
  const { name, stack } = error instanceof Error ? { name: error.name, stack: framesOf(error) } : {};
  log(request, { code: "internal_error", name, stack });
  return {
    code: "internal_error",
    message: "The request could not be answered.",
    hint: "Retry. If this persists, report the request's id.",
  };
}

/** Answers with problem details of a thrown error. */
export const onError: ErrorHandler<AppEnv> = (thrown, c) => problem(c, toFault(c, thrown));

/** Answers a path without a route. */
export const onNotFound: NotFoundHandler<AppEnv> = (c) =>
  problem(c, {
    code: "not_found",
    message: `There is nothing at ${c.req.path}.`,
    hint: "GET /openapi.json describes every route.",
  });
