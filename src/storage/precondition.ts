import { type SQL, sql } from "drizzle-orm";
import { XpeftError } from "../errors.ts";

/**
 * What a writer expects of a row: its generation; 0 if the row must not exist; `"any"` if it must exist; `"never"` if
 * no row can match; undefined if it expects nothing.
 */
export type Precondition = number | "any" | "never" | undefined;

/** Returns the SQL condition of a write. @param current the row's generation; NULL if it does not exist */
export function preconditionHolds(expected: Precondition, current: SQL): SQL {
  if (expected === undefined) return sql`TRUE`;
  if (expected === "never") return sql`FALSE`;
  if (expected === "any") return sql`${current} IS NOT NULL`;
  if (expected === 0) return sql`${current} IS NULL`;
  return sql`${current} IS ${expected}`;
}

/** Returns whether a row is as expected. @param generation the row's; 0 if it does not exist */
export function meetsPrecondition(expected: Precondition, generation: number): boolean {
  if (expected === "any") return generation > 0;
  return expected === undefined || expected === generation;
}

/** Returns the error for a row that is not as expected. @param current the row's generation; 0 if it does not exist */
export function generationMismatchError(what: string, expected: Precondition, current: number): XpeftError {
  const expectation = {
    0: "not to exist",
    any: "to exist",
    never: "both to exist and not to exist",
  }[String(expected)];
  return new XpeftError(
    "generation_mismatch",
    current === 0
      ? `${what} does not exist, and was expected ${expectation ?? `at generation ${expected}`}.`
      : `${what} is at generation ${current}, and was expected ${expectation ?? `at ${expected}`}.`,
    { facts: { generation: current } },
  );
}

/** Returns the error for a write whose task changed since the write was checked against it. */
export function taskChangedError(task: string): XpeftError {
  return new XpeftError("write_conflict", `Task "${task}" was written by someone else at the same time.`);
}
