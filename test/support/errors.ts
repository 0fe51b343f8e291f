import { expect } from "vitest";
import { PROBLEM_CODES, type ProblemCode, type RequestErrorCode } from "../../app/http/problem-codes.ts";
import { ERROR_REASONS, type ErrorCode, type XpeftError } from "../../src/errors.ts";

/** Returns a matcher for an XpeftError with a code, for `toThrow` and `rejects.toThrow`. */
export function errorWithCode(code: ErrorCode) {
  return expect.objectContaining({ name: "XpeftError", code });
}

const REQUEST_CODES: Readonly<Record<RequestErrorCode | "internal_error", true>> = {
  invalid_request: true,
  invalid_json: true,
  invalid_unicode: true,
  unsupported_media_type: true,
  payload_too_large: true,
  body_too_slow: true,
  not_found: true,
  method_not_allowed: true,
  rate_limited: true,
  internal_error: true,
};

const isErrorCode = (code: ProblemCode): code is ErrorCode => !(code in REQUEST_CODES);

/** The code and reason that a hint depends on. */
type ErrorCase = Pick<XpeftError, "code" | "reason">;

/** Every code of an {@link XpeftError} with each of its reasons. */
export const ERROR_CASES: readonly ErrorCase[] = PROBLEM_CODES.filter(isErrorCode).flatMap((code): ErrorCase[] =>
  code in ERROR_REASONS
    ? ERROR_REASONS[code as keyof typeof ERROR_REASONS].map((reason) => ({ code, reason }))
    : [{ code, reason: undefined }],
);
