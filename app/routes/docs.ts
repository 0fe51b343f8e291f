import { Hono } from "hono";
import type { AppEnv } from "../http/env.ts";
import { pageHeaders } from "../http/page-headers.ts";
import { RequestError } from "../http/problem-codes.ts";

/** The site comes from this service alone. Its code blocks have their colours in `style` attributes. */
const ownHeaders = pageHeaders({
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
});

/** Names in this folder contain a hash of the content. */
const HASHED = "/docs/assets/";
const IMMUTABLE = "public, max-age=31536000, immutable";

/** `GET /docs/`: the documentation, which `npm run docs` builds beside the app. */
export const docsRoutes = new Hono<AppEnv>().get("/docs/*", ownHeaders, async (c) => {
  const found = await c.env.platform.docs(c.req.raw);
  // The site has a page of its own for an unknown path.
  if (found.status === 404 && !found.headers.get("content-type")?.startsWith("text/html"))
    throw new RequestError("not_found", "This deploy has no documentation.", c.env.platform.hints.docs);
  const response = new Response(found.body, found);
  if (found.ok && new URL(c.req.url).pathname.startsWith(HASHED)) response.headers.set("cache-control", IMMUTABLE);
  return response;
});
