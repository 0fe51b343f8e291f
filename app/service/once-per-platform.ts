import type { Lifetime, Platform } from "../platform/platform.ts";

/** A load in progress, or its outcome. */
interface Load<T> {
  readonly start: number;
  outcome?: { readonly value: T } | { readonly error: unknown };
}

const POLL_MS = 5;

/**
 * Returns a function that loads something once for a platform, that is once an isolate or process, and shares it.
 *
 * Requests poll for the outcome and share no promise. workerd continues a promise in the request that made it, so a
 * request that awaited another's would make its answer there, and workerd rejects such an answer.
 *
 * The load belongs to the first caller's request and would end with it. It is kept alive if that caller disconnects, as
 * others may wait for it. A load that the platform has ended with its request starts again. One that fails is forgotten,
 * so that the next request tries again.
 */
export function oncePerPlatform<T>(
  load: (platform: Platform) => Promise<T>,
): (platform: Platform, lifetime: Lifetime) => Promise<T> {
  const loads = new WeakMap<Platform, Load<T>>();

  function currentLoad(platform: Platform, lifetime: Lifetime): Load<T> {
    const current = loads.get(platform);
    const isDropped = current && !current.outcome && Date.now() - current.start > platform.loadEndsAfterMs;
    if (current && !isDropped) return current;
    const loading: Load<T> = { start: Date.now() };
    loads.set(platform, loading);
    const settled = load(platform).then(
      (value) => {
        loading.outcome = { value };
      },
      (error: unknown) => {
        loading.outcome = { error };
        if (loads.get(platform) === loading) loads.delete(platform);
      },
    );
    lifetime.waitUntil(settled);
    return loading;
  }

  return async (platform, lifetime) => {
    let loading = currentLoad(platform, lifetime);
    while (!loading.outcome) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (!loading.outcome) loading = currentLoad(platform, lifetime);
    }
    if ("error" in loading.outcome) throw loading.outcome.error;
    return loading.outcome.value;
  };
}
