import { createMiddleware } from "hono/factory";
import { BOOKMARK } from "../database.ts";
import type { AppEnv } from "../env.ts";

/** Gives an answer the bookmark of its database session, for the caller to read at least that. */
export const giveBookmark = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  const bookmark = c.get("session")?.getBookmark();
  if (bookmark) c.header(BOOKMARK, bookmark);
});
