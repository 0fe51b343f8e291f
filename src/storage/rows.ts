import * as z from "zod";
import type { profiles, tasks } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import { floatsFromBytes } from "../lib/floats.ts";
import type { StoredProfile } from "../profiles/profile.ts";
import type { StoredTask, Task, TaskSummary } from "../profiles/task.ts";

const labelsColumn = z.array(z.string()).min(2);

function invalidRow(row: string, message: string, cause?: unknown): XpeftError {
  return new XpeftError("invalid_row", `The row of ${row} is damaged: ${message}`, { reason: "stored", cause });
}

function labelsFromColumn(task: string, column: string): string[] {
  try {
    return labelsColumn.parse(JSON.parse(column));
  } catch (cause) {
    throw invalidRow(`task "${task}"`, "its labels are not a JSON list of two or more strings.", cause);
  }
}

/** Returns the time of milliseconds since 1970. @throws XpeftError `invalid_row` if there is none */
function timeFromColumn(row: string, column: number): Date {
  const time = new Date(column);
  if (Number.isNaN(time.getTime())) throw invalidRow(row, "the time of its last write is not a time.");
  return time;
}

/**
 * Returns a task's row without what is binary.
 *
 * @throws XpeftError `invalid_row` if the labels or the time cannot be read
 */
export function taskSummaryFromRow(row: Omit<typeof tasks.$inferSelect, "head" | "masks" | "adapter">): TaskSummary {
  const label = `task "${row.name}"`;
  return { ...row, labels: labelsFromColumn(row.name, row.labels), updatedAt: timeFromColumn(label, row.updatedAt) };
}

/**
 * Returns a task's row with the time of its last write.
 *
 * @throws XpeftError `invalid_row` as {@link taskFromRow} does, or if the time cannot be read
 */
export function storedTaskFromRow(row: typeof tasks.$inferSelect): StoredTask {
  return { ...taskFromRow(row), updatedAt: timeFromColumn(`task "${row.name}"`, row.updatedAt) };
}

/**
 * Returns a task's row. Whether head and adapter fit the bundle's sizes is not checked here.
 *
 * @throws XpeftError `invalid_row` if the labels cannot be read, or the head does not have equally many float32 numbers
 * for each of them
 */
export function taskFromRow(row: Omit<typeof tasks.$inferSelect, "updatedAt">): Task {
  const { name, bundle, maxTokens, masks, adapter, generation } = row;
  const labels = labelsFromColumn(row.name, row.labels);
  if (row.head.length === 0 || row.head.length % (4 * labels.length) !== 0) {
    throw invalidRow(
      `task "${row.name}"`,
      `its head of ${row.head.length} bytes does not fit ${labels.length} labels.`,
    );
  }
  return { name, bundle, labels, maxTokens, head: floatsFromBytes(row.head), masks, adapter, generation };
}

/** Returns a profile's row. @throws XpeftError `invalid_row` if the time cannot be read */
export function profileFromRow(row: typeof profiles.$inferSelect): StoredProfile {
  return { ...row, updatedAt: timeFromColumn(`profile "${row.id}" of task "${row.task}"`, row.updatedAt) };
}
