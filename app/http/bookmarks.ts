import type { Session } from "../platform/platform.ts";
import { RequestError } from "./problem-codes.ts";

/** The header that makes a read at least as new as an earlier answer. Requests and answers carry it. */
export const BOOKMARK = "x-d1-bookmark";

/** Groups of hexadecimal digits. */
const ONE = "[0-9a-f]{1,64}(-[0-9a-f]{1,64}){0,7}";

/**
 * Returns the pattern of a bookmark. With several databases it is their bookmarks by number, separated by dots; that of
 * a database that was not queried is empty.
 */
export function bookmarkPattern(databases: number): RegExp {
  // The pattern is built from the constant above and a number.
  // ast-grep-ignore: no-dynamic-regexp
  return databases <= 1 ? new RegExp(`^${ONE}$`) : new RegExp(`^(${ONE})?(\\.(${ONE})?){${databases - 1}}$`);
}

/**
 * Returns a request's bookmarks by the databases' numbers; empty for a database without one.
 *
 * @throws RequestError `invalid_request` if the bookmark cannot be from this deploy
 */
export function bookmarksOf(bookmark: string | undefined, databases: number): readonly string[] {
  if (bookmark === undefined) return [];
  if (bookmarkPattern(databases).test(bookmark)) return bookmark.split(".");
  throw new RequestError(
    "invalid_request",
    `${BOOKMARK}: is not a bookmark${databases > 1 ? ` of ${databases} databases` : ""}`,
    `Send the ${BOOKMARK} of an earlier answer, or none.`,
  );
}

/** The sessions that a request has opened and the bookmarks that it came with, by the databases' numbers. */
export interface Sessions {
  readonly received: readonly string[];
  readonly opened: ReadonlyMap<number, Session>;
  readonly count: number;
}

/**
 * Returns the bookmark after a request; null if there is none. A database that it did not query keeps the bookmark that
 * the request came with.
 */
export function bookmarkNow({ received, opened, count }: Sessions): string | null {
  const parts = Array.from({ length: count }, (_, number) => opened.get(number)?.bookmark() ?? received[number] ?? "");
  return parts.some((part) => part !== "") ? parts.join(".") : null;
}
