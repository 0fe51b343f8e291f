import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { BOOKMARK, bookmarkNow, type Sessions } from "../http/bookmarks.ts";
import type { AppEnv } from "../http/env.ts";

/** Adds the bookmark of the request's database sessions to the answer. */
export const addBookmark = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  const sessions = c.get("sessions");
  const bookmark = sessions && bookmarkNow(sessions);
  if (bookmark) c.header(BOOKMARK, bookmark);
});

/** Takes the sessions from a request whose bookmark is sent after the headers. The headers then carry none. */
export function detachSessions(c: Context<AppEnv>): Sessions | undefined {
  const sessions = c.get("sessions");
  c.set("sessions", undefined);
  return sessions;
}
