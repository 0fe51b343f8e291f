import { createMiddleware } from "hono/factory";
import { BOOKMARK, bookmarkNow } from "../http/bookmarks.ts";
import type { AppEnv } from "../http/env.ts";

/** Gives an answer the bookmark of its database sessions, for the caller to read at least that. */
export const giveBookmark = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  const sessions = c.get("sessions");
  const bookmark = sessions && bookmarkNow(sessions);
  if (bookmark) c.header(BOOKMARK, bookmark);
});
