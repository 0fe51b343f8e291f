import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { createAuthenticator, generateKey, type KeyStore } from "../../../src/auth/api-keys.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it("takes no key that was revoked longer ago than rows are kept, however late the database answers", async () => {
  let now = 1;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const asks = fc.record({ fresh: fc.boolean() });
  const waits = fc.record({ wait: fc.integer({ min: 1, max: 700 }) });
  const steps = fc.array(fc.oneof(asks, waits, fc.constant("revoke" as const)), { maxLength: 30 });
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
      let begun = () => {};
      const find = () => {
        begun();
        return scheduler.schedule(Promise.resolve(revokedAt < Number.POSITIVE_INFINITY ? null : row));
      };
      const store = { find } as unknown as KeyStore;
      const authenticator = createAuthenticator({ ttlSeconds });
      const ask = async (fresh: boolean) => {
        const began = now;
        const options = { fresh, beforeUnknownKey: async () => {} };
        const taken = await authenticator.authenticate(key, store, options).then(
          () => true,
          () => false,
        );
        if (taken) expect(revokedAt).toBeGreaterThanOrEqual(fresh ? began : began - 1000 * ttlSeconds);
      };
      const asked: Promise<void>[] = [];
      for (const step of what) {
        if (step === "revoke") revokedAt = Math.min(revokedAt, now);
        else if ("wait" in step) now += step.wait;
        else {
          const asking = new Promise<void>((resolve) => {
            begun = resolve;
          });
          const outcome = ask(step.fresh);
          asked.push(outcome);
          // The key is hashed first, for however long that takes.
          await Promise.race([asking, outcome]);
        }
        if (scheduler.count() > 2) await scheduler.waitOne();
      }
      await scheduler.waitFor(Promise.all(asked));
    }),
    { numRuns: 300 },
  );
});
