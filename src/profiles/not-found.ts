import { type ErrorReason, XpeftError } from "../errors.ts";
import { labelFault, quoteLabel } from "./labels.ts";

/** Most labels that an error lists. */
const SHOWN_LABELS = 20;

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

/** Returns the error for a label that is not among a task's labels. */
export function unknownLabelError(label: string, labels: readonly string[]): XpeftError {
  const some = labels.slice(0, SHOWN_LABELS).map(quoteLabel);
  const problem = labelFault(label) ?? `The task has no label ${quoteLabel(label)}`;
  const more = labels.length > some.length ? ` and ${labels.length - some.length} more` : "";
  return new XpeftError("unknown_label", `${problem}. The task's labels are ${some.join(", ")}${more}.`);
}
