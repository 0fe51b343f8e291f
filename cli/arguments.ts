import { InvalidArgumentError } from "commander";
import { ID_RULE, profilePattern, taskPattern } from "../src/profiles/names.ts";
import { UsageError } from "./errors.ts";

/** Address of the Worker that `npm start` serves. */
export const LOCAL_URL = "http://localhost:8787";

/** The form of a profile's id, for messages. */
export const PROFILE_RULE = `${ID_RULE}. Rename the profile, such as Zoe for Zoë, or use a hash of its id.`;

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

/** Parses a prefix of profiles' ids. */
export function parsePrefix(text: string): string {
  // A script whose variable is not set means some profiles, not all.
  if (text === "") throw new InvalidArgumentError("It is empty, which would mean all profiles.");
  // An id may end after any character but its first, so a prefix of an id has an id's form.
  return parseProfileId(text);
}

/** Parses the address of a Worker. Spaces around it are removed, and slashes at its end. */
export function parseUrl(text: string): string {
  const trimmed = text.trim();
  const url = URL.canParse(trimmed) && !/\s/.test(trimmed) ? new URL(trimmed) : null;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (isHttp && url.username + url.password + url.search + url.hash === "") return url.href.replace(/\/+$/, "");
  throw new InvalidArgumentError(
    `Give the address of a Worker, with http:// or https:// and without a query, such as ${LOCAL_URL}`,
  );
}

/** Parses a key or a profile token. Spaces around it are removed. */
export function parseKey(text: string): string {
  const key = text.trim();
  if (/^[!-~]*$/.test(key)) return key;
  // Not an InvalidArgumentError: it would show the key.
  throw new UsageError(
    "The API key has a space, a line end or another character that no key has.",
    "Give the key alone, as xpeft keys create prints it on standard output: --key, or the environment variable XPEFT_KEY.",
  );
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

/** Parses a score, from 0 to 1. */
export function parseScore(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("It must be a number from 0 to 1.");
}
