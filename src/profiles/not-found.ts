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

/** Whose labels are meant: all of the task, or those that the profile knows. */
export type LabelOwner = "task" | "profile";

/** Returns the error for a label that is none of the task's, or none that the profile knows. */
export function unknownLabelError(label: string, labels: readonly string[], owner: LabelOwner = "task"): XpeftError {
  const some = labels.slice(0, SHOWN_LABELS).map(quoteLabel);
  const has = owner === "task" ? "has" : "knows";
  const problem = labelFault(label) ?? `The ${owner} ${has} no label ${quoteLabel(label)}`;
  const more = labels.length > some.length ? ` and ${labels.length - some.length} more` : "";
  const message = `${problem}. The ${owner}'s labels are ${some.join(", ")}${more}.`;
  return new XpeftError("unknown_label", message, { reason: owner });
}
