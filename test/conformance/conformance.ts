import { afterAll, beforeAll, describe } from "vitest";
import { readBundle } from "../../node/files.ts";
import { profilesOf, taskFor } from "../support/rows.ts";
import type { Runtime, RuntimeName } from "./runtime.ts";
import { startRuntime } from "./start.ts";
import { errors } from "./suites/errors.ts";
import { hints } from "./suites/hints.ts";
import { limits } from "./suites/limits.ts";
import { pages } from "./suites/pages.ts";
import { predictions } from "./suites/predictions.ts";
import { races } from "./suites/races.ts";
import { registry } from "./suites/registry.ts";
import { streams } from "./suites/streams.ts";
import { tokens } from "./suites/tokens.ts";

/** The servers of a runtime, once they run. */
export interface Servers {
  /** Without limits, and with nothing cached. It has the task `demo` with three profiles. */
  readonly main: Runtime;
  /** With limits of a caller, two databases, and keys that are cached. */
  readonly limited: Runtime;
}

/** Requests and learning runs of one caller in a minute, at the server with limits. */
export const LIMITS = { requests: 15, learning: 2 };

/** Runs every test of the app on a runtime, whose servers start once. */
export function conformance(name: RuntimeName): void {
  const servers: { main?: Runtime; limited?: Runtime } = {};
  const started = (which: "main" | "limited"): Runtime => {
    const server = servers[which];
    if (!server) throw new Error("the server has not started");
    return server;
  };
  const all: Servers = {
    get main() {
      return started("main");
    },
    get limited() {
      return started("limited");
    },
  };

  describe(`the app on ${name}`, () => {
    beforeAll(async () => {
      [servers.main, servers.limited] = await Promise.all([
        startRuntime(name),
        startRuntime(name, { ...LIMITS, databases: 2, cacheTtlSeconds: 30 }),
      ]);
      await servers.main.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(3));
    });
    afterAll(async () => {
      await servers.main?.close();
      await servers.limited?.close();
    });
    for (const suite of [pages, predictions, registry, races, streams, errors, tokens, limits, hints]) suite(name, all);
  });
}
