import { InvalidArgumentError } from "commander";
import { profilePattern, taskPattern } from "../src/profiles/names.ts";

/** What a profile's id looks like, for messages. */
export const PROFILE_RULE =
  "A profile's id is of A-Z, a-z, 0-9 and . _ : @ -, at most 128 of them, and starts with a letter or a digit.";

/** Reads a task's name from the command line. */
export function taskArgument(text: string): string {
  if (!taskPattern.test(text)) {
    throw new InvalidArgumentError("A task's name is of a-z, 0-9, _ and -, at most 64 of them.");
  }
  return text;
}

/** Reads a profile's id from the command line. */
export function profileArgument(text: string): string {
  if (!profilePattern.test(text)) throw new InvalidArgumentError(PROFILE_RULE);
  return text;
}

/** Makes what reads a whole number from the command line. */
export function parseWholeNumber(from: number, to = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isInteger(value) && value >= from && value <= to) return value;
    const end = to === Number.MAX_SAFE_INTEGER ? "" : ` to ${to}`;
    throw new InvalidArgumentError(`It must be a whole number from ${from}${end}.`);
  };
}
