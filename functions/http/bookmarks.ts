import { RequestError } from "./problem-codes.ts";

/** The header by which a caller reads at least what it has written; also an answer's. */
export const BOOKMARK = "x-d1-bookmark";

/** Groups of hexadecimal digits. */
const ONE = "[0-9a-f]{1,64}(-[0-9a-f]{1,64}){0,7}";

/** What a bookmark looks like: of several databases, theirs by number, with dots between; empty where one was not asked. */
export function bookmarkPattern(databases: number): RegExp {
  // What it is made of is written above, and a number.
  // ast-grep-ignore: patterns-are-written-out
  return databases <= 1 ? new RegExp(`^${ONE}$`) : new RegExp(`^(${ONE})?(\\.(${ONE})?){${databases - 1}}$`);
}

/**
 * The bookmarks in one that a request brings, by the databases' numbers; empty for a database that it says nothing of.
 *
 * @throws RequestError `invalid_request` if it cannot be one of this deploy
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

/** The sessions that a request has opened, by the databases' numbers, and the bookmarks that it came with. */
export interface Sessions {
  readonly brought: readonly string[];
  readonly opened: ReadonlyMap<number, D1DatabaseSession>;
  readonly count: number;
}

/** The bookmark of a request's sessions: what it has read and written, and what it was told before of databases that it did not ask. */
export function bookmarkNow({ brought, opened, count }: Sessions): string | null {
  const parts = Array.from(
    { length: count },
    (_, number) => opened.get(number)?.getBookmark() ?? brought[number] ?? "",
  );
  return parts.some((part) => part !== "") ? parts.join(".") : null;
}
