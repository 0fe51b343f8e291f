import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { generateKey } from "../../../src/auth/api-keys.ts";
import { createAuthenticator } from "../../../src/auth/authenticator.ts";
import type { KeyStore } from "../../../src/auth/key-store.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it("rejects a key that was revoked longer ago than the TTL, however late the database answers", async () => {
  let now = 1;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const requests = fc.record({ fresh: fc.boolean() });
  const waits = fc.record({ wait: fc.integer({ min: 1, max: 700 }) });
  const steps = fc.array(fc.oneof(requests, waits, fc.constant("revoke" as const)), { maxLength: 30 });
  const { key, row } = await generateKey({
    name: "test",
    scopes: ["predict"],
    task: "news",
    profilePrefix: "",
    expiresAt: null,
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, 1), fc.scheduler(), async (what, ttlSeconds, scheduler) => {
      let revokedAt = Number.POSITIVE_INFINITY;
      let onQuery = () => {};
      const find = () => {
        onQuery();
        return scheduler.schedule(Promise.resolve(revokedAt < Number.POSITIVE_INFINITY ? null : row));
      };
      const store = { find } as unknown as KeyStore;
      const authenticator = createAuthenticator({ ttlSeconds, now: () => Date.now() });
      const authenticate = async (fresh: boolean) => {
        const began = now;
        const options = { fresh, beforeUnknownKey: async () => {} };
        const accepted = await authenticator.authenticate(key, store, options).then(
          () => true,
          () => false,
        );
        if (accepted) expect(revokedAt).toBeGreaterThanOrEqual(fresh ? began : began - 1000 * ttlSeconds);
      };
      const outcomes: Promise<void>[] = [];
      for (const step of what) {
        if (step === "revoke") revokedAt = Math.min(revokedAt, now);
        else if ("wait" in step) now += step.wait;
        else {
          const queried = new Promise<void>((resolve) => {
            onQuery = resolve;
          });
          const outcome = authenticate(step.fresh);
          outcomes.push(outcome);
          // Hashing the key comes first and takes an unknown time.
          await Promise.race([queried, outcome]);
        }
        if (scheduler.count() > 2) await scheduler.waitOne();
      }
      await scheduler.waitFor(Promise.all(outcomes));
    }),
    { numRuns: 300 },
  );
});
