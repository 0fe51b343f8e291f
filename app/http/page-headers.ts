import { secureHeaders } from "hono/secure-headers";

type Policy = NonNullable<NonNullable<Parameters<typeof secureHeaders>[0]>["contentSecurityPolicy"]>;

/**
 * Returns the middleware of a page's security headers: it reaches nothing but this Worker, sends no form, and no other
 * page shows it in a frame.
 *
 * @param policy what the page may run, and what else differs
 */
export const pageHeaders = (policy: Policy) =>
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      ...policy,
      connectSrc: ["'self'"],
      imgSrc: ["'self'", "data:"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  });
