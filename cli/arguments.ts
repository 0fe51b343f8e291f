import { InvalidArgumentError } from "commander";
import { profilePattern, taskPattern } from "../src/profiles/names.ts";

/** The form of a profile's id, for messages. */
export const PROFILE_RULE =
  "A profile's id has 1 to 128 of the characters A-Z a-z 0-9 . _ : @ - and starts with a letter or a digit.";

/** Parses a task's name. */
export function parseTaskName(text: string): string {
  if (taskPattern.test(text)) return text;
  throw new InvalidArgumentError(
    "A task's name has 1 to 64 of the characters a-z 0-9 _ - and starts with a letter or a digit.",
  );
}

/** Parses a profile's id. */
export function parseProfileId(text: string): string {
  if (profilePattern.test(text)) return text;
  throw new InvalidArgumentError(PROFILE_RULE);
}

/** Parses a prefix of profiles' ids, which may be empty. */
export function parsePrefix(text: string): string {
  // An id may end after any character but its first, so a prefix of an id has an id's form.
  return text === "" ? text : parseProfileId(text);
}

/** Returns a parser of whole numbers in a range, both ends included. */
export function parseWholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    const end = maximum === Number.MAX_SAFE_INTEGER ? "" : ` to ${maximum}`;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum}${end}.`);
  };
}
