import { type ErrorReason, XpeftError } from "../errors.ts";

/** Returns the error for a task that does not exist. */
export function unknownTaskError(name: string): XpeftError {
  return new XpeftError("unknown_task", `There is no task "${name}".`);
}

/** Returns the error for a profile that does not exist. @param reason "start" if learning was to start from it */
export function unknownProfileError(
  task: string,
  id: string,
  reason: ErrorReason<"unknown_profile"> = "requested",
): XpeftError {
  return new XpeftError("unknown_profile", `Task "${task}" has no profile "${id}".`, { reason });
}
