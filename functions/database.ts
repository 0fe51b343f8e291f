import { drizzle } from "drizzle-orm/d1";
import type { Context } from "hono";
import type { Database } from "../src/database.ts";
import { XpeftError } from "../src/errors.ts";
import type { AppEnv, Bindings } from "./env.ts";
import { RequestError } from "./problem.ts";

/** The header by which a caller reads at least what it has written; also an answer's. */
export const BOOKMARK = "x-d1-bookmark";

/** Groups of hexadecimal digits. */
export const BOOKMARK_PATTERN = /^[0-9a-f]{1,64}(-[0-9a-f]{1,64}){0,7}$/;

/**
 * Opens a session of the database for a request. The answer gets the session's bookmark.
 *
 * @param begins at the primary database, which has every write; or at whatever replica is near, which may lag behind, but
 * not behind the bookmark that the request brings
 * @throws XpeftError `database_unavailable` if none is bound
 */
export function openDatabase(c: Context<AppEnv>, begins: "primary" | "nearest"): Database {
  const { DB } = c.env;
  if (!DB) throw noDatabase();
  const session = DB.withSession(begins === "primary" ? "first-primary" : (bookmarkOf(c) ?? "first-unconstrained"));
  c.set("session", session);
  // Drizzle's driver calls no other methods than a session has, but does not know its type.
  return drizzle(session as unknown as D1Database);
}

/**
 * The bookmark that a request brings.
 *
 * @throws RequestError `invalid_request` if it cannot be one
 */
export function bookmarkOf(c: Context<AppEnv>): string | undefined {
  const bookmark = c.req.header(BOOKMARK);
  if (bookmark === undefined || BOOKMARK_PATTERN.test(bookmark)) return bookmark;
  throw new RequestError(
    "invalid_request",
    `${BOOKMARK}: is not a bookmark`,
    `Send the ${BOOKMARK} of an earlier answer, or none.`,
  );
}

/** The database without a session, for what has no answer to give a bookmark to. */
export function plainDatabase({ DB }: Bindings): Database {
  if (!DB) throw noDatabase();
  return drizzle(DB);
}

function noDatabase(): XpeftError {
  return new XpeftError(
    "database_unavailable",
    "This deploy has no database.",
    "Send a profile token, or bind a D1 database named DB in wrangler.toml.",
  );
}
