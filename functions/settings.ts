import { XpeftError } from "../src/errors.ts";
import type { RowCacheLimits } from "../src/row-cache.ts";

/** Room for some hundred heads and some thousand profiles, next to an isolate's 128 MB. */
const ROW_CACHE_BYTES = 4 * 1024 * 1024;

/** Reads the variable CACHE_TTL_SECONDS. @throws XpeftError `invalid_setting` if it is not a whole number of seconds */
export function cacheLimits(ttl: string): RowCacheLimits {
  if (!/^\d{1,6}$/.test(ttl)) {
    throw new XpeftError(
      "invalid_setting",
      `CACHE_TTL_SECONDS is "${ttl}", which is not a whole number of seconds.`,
      "Set it under [vars] in wrangler.toml; 0 keeps no rows.",
    );
  }
  return { maxBytes: ROW_CACHE_BYTES, ttlSeconds: Number(ttl) };
}
