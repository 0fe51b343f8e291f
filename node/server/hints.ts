import type { PlatformHints } from "../../app/platform/hints.ts";

/** What whoever runs `xpeft serve` can do about its faults. */
export const HINTS: PlatformHints = {
  setting: "Correct the environment variable, and start the server again: xpeft serve --help lists them.",
  secret: "Correct XPEFT_TOKEN_KEYS, and start the server again: docs/api.md explains how.",
  tokens: "Send a key. Whoever runs the service can set XPEFT_TOKEN_KEYS: docs/api.md explains how.",
  build: "Start the server without XPEFT_ENGINE, or take a bundle with a packed encoder: --bundle",
  query:
    "Retry. If this persists, check that the database given with --database can be reached, and start the server again: it applies the migrations.",
  locked: "Retry. If this persists, find the program that has the database open and does not end its transaction.",
  full: "Free space on the disk of the database. Nothing was written; the server goes on as soon as there is space.",
  damaged: "Restore a backup of the file: docs/self-hosting.md explains how. Or name another file with --database.",
  readonly: "Let the user that runs this write the database's file and its folder.",
  shard:
    "Retry. If this persists, check that each database given with --database can be reached. Database 0 is the first one.",
  unbound: "Predict with a profile token that carries its task's head, or start the server with a database: --database",
  place:
    "Give the databases that the profiles are spread over in their order: --database URL0 URL1. docs/scale.md explains how to spread them over more.",
  gap: "Give all databases that the profiles are spread over: --database URL0 URL1.",
  docs: "Build it in the project's folder with npm run docs. The package has it built.",
};
