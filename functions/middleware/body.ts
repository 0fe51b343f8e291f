import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../env.ts";
import { RequestError } from "../problem.ts";

const MAX_BODY_BYTES = 64 * 1024;

/** Refuses bodies over 64 KB, also those that do not say their length. */
export const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new RequestError(
      "payload_too_large",
      `The body is over ${MAX_BODY_BYTES} bytes.`,
      "Send fewer or shorter texts in one request.",
    );
  },
});

/** Refuses bodies that are not UTF-8: the platform would put U+FFFD in their place without a word. */
export const requireUtf8 = createMiddleware<AppEnv>(async (c, next) => {
  const bytes = await c.req.arrayBuffer();
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new RequestError("invalid_unicode", "The body is not valid UTF-8.", "Send it encoded as UTF-8.");
  }
  await next();
});
