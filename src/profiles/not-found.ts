import { XpeftError } from "../errors.ts";

/** The error of a task that is not there. */
export function unknownTaskError(name: string): XpeftError {
  return new XpeftError("unknown_task", `There is no task "${name}".`, "GET /v1/tasks lists the tasks.");
}

/** The error of a profile that is not there. */
export function unknownProfileError(task: string, id: string): XpeftError {
  return new XpeftError(
    "unknown_profile",
    `Task "${task}" has no profile "${id}".`,
    'Write the profile, or predict with "onUnknownProfile": "default" to be answered with the task\'s default masks.',
  );
}
