import { type ErrorReason, XpeftError } from "../errors.ts";

/** The error of a task that is not there. */
export function unknownTaskError(name: string): XpeftError {
  return new XpeftError("unknown_task", `There is no task "${name}".`);
}

/** The error of a profile that is not there. @param reason "start" where learning was to start from it */
export function unknownProfileError(
  task: string,
  id: string,
  reason: ErrorReason<"unknown_profile"> = "requested",
): XpeftError {
  return new XpeftError("unknown_profile", `Task "${task}" has no profile "${id}".`, { reason });
}
