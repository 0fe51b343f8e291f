import cluster from "node:cluster";
import { RateLimiterCluster, RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { Limit } from "../../app/platform/platform.ts";

const MINUTE_SECONDS = 60;

/**
 * Returns a limit of a caller's requests in a minute. Processes of one `--workers` count together: their parent keeps the
 * counts.
 *
 * @param name of the limit, apart from the others
 * @param requests in a minute; 0 for no limit
 */
export function createLimit(name: string, requests: number): Limit | null {
  if (requests === 0) return null;
  const options = { keyPrefix: name, points: requests, duration: MINUTE_SECONDS };
  const limiter = cluster.isWorker ? new RateLimiterCluster(options) : new RateLimiterMemory(options);
  return async (caller) => {
    try {
      await limiter.consume(caller);
      return true;
    } catch (rejection) {
      // The library rejects with the state of the count, and with an Error if it could not count.
      if (rejection instanceof RateLimiterRes) return false;
      throw rejection;
    }
  };
}
