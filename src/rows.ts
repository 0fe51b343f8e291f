import { z } from "zod";
import type { profiles, tasks } from "../schema/tables.ts";
import type { ProfileParts, Task } from "./engine.ts";
import { XpeftError } from "./errors.ts";
import { floatsFromBytes } from "./floats.ts";

/** A profile as it is stored. */
export interface StoredProfile extends ProfileParts {
  readonly task: string;
  readonly id: string;
  readonly generation: number;
  readonly updatedAt: Date;
}

/** A task as it is listed: without its head and masks. */
export interface TaskSummary extends Omit<Task, "head" | "masks"> {
  readonly updatedAt: Date;
}

const labelsColumn = z.array(z.string()).min(2);

function invalidRow(row: string, message: string, cause?: unknown): XpeftError {
  return new XpeftError("invalid_row", `The row of ${row} is damaged: ${message}`, "Push the row again.", { cause });
}

function labelsFromColumn(task: string, column: string): string[] {
  try {
    return labelsColumn.parse(JSON.parse(column));
  } catch (cause) {
    throw invalidRow(`task "${task}"`, "its labels are not a JSON list of two or more strings.", cause);
  }
}

/**
 * Reads a task's row but for its head and masks.
 *
 * @throws XpeftError `invalid_row` if the labels are not a JSON list of strings
 */
export function taskSummaryFromRow(row: Omit<typeof tasks.$inferSelect, "head" | "masks">): TaskSummary {
  return { ...row, labels: labelsFromColumn(row.name, row.labels), updatedAt: new Date(row.updatedAt) };
}

/**
 * Reads a task's row. That the head fits the bundle's hidden size is left to whoever has the bundle.
 *
 * @throws XpeftError `invalid_row` if the labels are not a JSON list of strings, or the head has not the same number of
 * float32 numbers for each of them
 */
export function taskFromRow({ updatedAt: _updatedAt, ...row }: typeof tasks.$inferSelect): Task {
  const labels = labelsFromColumn(row.name, row.labels);
  if (row.head.length === 0 || row.head.length % (4 * labels.length) !== 0) {
    throw invalidRow(
      `task "${row.name}"`,
      `its head of ${row.head.length} bytes does not fit ${labels.length} labels.`,
    );
  }
  return { ...row, labels, head: floatsFromBytes(row.head) };
}

/** Reads a profile's row. */
export function profileFromRow(row: typeof profiles.$inferSelect): StoredProfile {
  return { ...row, updatedAt: new Date(row.updatedAt) };
}
