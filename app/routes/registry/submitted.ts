import { XpeftError } from "../../../src/errors.ts";
import { RequestError } from "../../http/problem-codes.ts";

/** Returns the fault of a submitted row. What means damage in a stored row is the caller's mistake in a submitted one. */
export function submittedFault(error: XpeftError): XpeftError | RequestError {
  // A stored row can be the damaged one: the task that a profile is checked against.
  if (error.code === "invalid_row" && error.reason !== "stored")
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

/** Runs a check of a submitted row. @throws the {@link submittedFault} of an error */
export function checkSubmitted<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof XpeftError ? submittedFault(error) : error;
  }
}
