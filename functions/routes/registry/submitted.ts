import { XpeftError } from "../../../src/errors.ts";
import { RequestError } from "../../http/problem-codes.ts";

/**
 * The fault of a row that a caller has sent. What would be damage in a row that is stored is here only something that does
 * not fit.
 */
export function submittedFault(error: XpeftError): XpeftError | RequestError {
  if (error.code === "invalid_row")
    return new RequestError("invalid_request", error.message, "docs/formats.md describes the format.");
  if (error.code === "invalid_mask" || error.code === "invalid_label_bias") {
    return new RequestError(
      "mismatched_write",
      error.message,
      "Send it as it was trained for this task on this bundle.",
    );
  }
  return error;
}

/** Runs a check of what a caller has sent. @throws what {@link submittedFault} makes of an error */
export function checkSubmitted<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof XpeftError ? submittedFault(error) : error;
  }
}
