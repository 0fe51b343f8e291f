import type { PlatformHints } from "../../app/platform/hints.ts";

/** What whoever deploys the Worker can do about its faults. */
export const HINTS: PlatformHints = {
  setting: "Correct it under [vars] in wrangler.toml, which explains each variable, then deploy.",
  secret: "Set the secret TOKEN_KEYS again: docs/api.md explains how.",
  tokens: "Send a key. Whoever runs the service can set the secret TOKEN_KEYS: docs/api.md explains how.",
  build:
    'Remove [alias] from wrangler.toml, or set ENGINE = "auto" and take a bundle with a packed encoder. Then deploy.',
  query: "Retry. If this persists, check that the database's migrations are applied.",
  locked: "Retry.",
  full: "Delete profiles, spread them over more databases (docs/scale.md), or ask for a larger limit of D1.",
  damaged: "Restore the database as it was earlier: docs/operations.md explains how.",
  readonly: "Check in Cloudflare's dashboard that the database may be written.",
  shard:
    "Retry. If this persists, check that the database's migrations are applied. Database 0 is bound as DB, database 1 as DB_1.",
  unbound: "Predict with a profile token that carries its task's head, or bind a D1 database as DB in wrangler.toml.",
  place:
    "Bind the databases that the profiles are spread over in their places: DB, DB_1 and so on. docs/scale.md explains how to spread them over more.",
  gap: "Bind the databases that the profiles are spread over as DB, DB_1, DB_2 and so on, without a gap.",
  docs: 'Set directory = "dist/assets" under [assets] in wrangler.toml, and deploy again.',
};
