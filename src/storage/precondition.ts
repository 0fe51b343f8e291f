import { type SQL, sql } from "drizzle-orm";
import { XpeftError } from "../errors.ts";

/**
 * What a writer believes of the row that it writes: its generation, 0 for a row that must not be there, `"any"` for one
 * that must, `"never"` for what no row can be; undefined where it does not care.
 */
export type Precondition = number | "any" | "never" | undefined;

/** The condition under which a write may be done; `current` is the row's generation, NULL where it is not there. */
export function preconditionHolds(expected: Precondition, current: SQL): SQL {
  if (expected === undefined) return sql`TRUE`;
  if (expected === "never") return sql`FALSE`;
  if (expected === "any") return sql`${current} IS NOT NULL`;
  if (expected === 0) return sql`${current} IS NULL`;
  return sql`${current} IS ${expected}`;
}

/** Whether a row is what its writer believed. @param generation the row's, 0 where it is not there */
export function meetsPrecondition(expected: Precondition, generation: number): boolean {
  if (expected === "any") return generation > 0;
  return expected === undefined || expected === generation;
}

/** The error of a write whose row is not what its writer believed. @param current the row's generation, 0 where there is none */
export function generationMismatchError(what: string, expected: Precondition, current: number): XpeftError {
  const believed = {
    0: "not to be there",
    any: "to be there",
    never: "to be there and not to be there",
  }[String(expected)];
  return new XpeftError(
    "generation_mismatch",
    current === 0
      ? `${what} is not there, and was expected ${believed ?? `at generation ${expected}`}.`
      : `${what} is at generation ${current}, and was expected ${believed ?? `at ${expected}`}.`,
    { facts: { generation: current } },
  );
}

/** The error of a write that met another: what it was checked against has changed. */
export function taskChangedError(task: string): XpeftError {
  return new XpeftError("write_conflict", `Task "${task}" was written by someone else at the same time.`);
}
