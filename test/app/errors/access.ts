import type { Provocations } from "./fixture.ts";

const PROFILE = "/v1/profiles/demo/demo-000";

/** Callers without permission. */
export const accessProvocations = {
  key_missing: ({ worker }) => worker.get(PROFILE, { key: null }),

  key_invalid: ({ worker }) => worker.get(PROFILE, { key: `xpk_${"0".repeat(16)}_${"A".repeat(43)}` }),

  key_expired: async ({ worker }) => worker.get(PROFILE, { key: await worker.makeKey({ expiresAt: new Date(0) }) }),

  scope_missing: async ({ worker }) => worker.get(PROFILE, { key: await worker.makeKey({ scopes: ["predict"] }) }),

  outside_confinement: async ({ worker }) =>
    worker.get(PROFILE, { key: await worker.makeKey({ task: "demo", profilePrefix: "other-" }) }),
} satisfies Provocations;
