import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { BOOKMARK, bookmarkNow, type Sessions } from "../http/bookmarks.ts";
import type { AppEnv } from "../http/env.ts";

/** Gives an answer the bookmark of its database sessions, for the caller to read at least that. */
export const addBookmark = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  const sessions = c.get("sessions");
  const bookmark = sessions && bookmarkNow(sessions);
  if (bookmark) c.header(BOOKMARK, bookmark);
});

/** The sessions of a request, for a bookmark that comes later than the headers; these get none then. */
export function detachSessions(c: Context<AppEnv>): Sessions | undefined {
  const sessions = c.get("sessions");
  c.set("sessions", undefined);
  return sessions;
}
