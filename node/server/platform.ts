import type { Databases, Platform } from "../../app/platform/platform.ts";
import type { Settings } from "../../app/platform/settings.ts";
import { compileModules } from "../engine.ts";
import { readAbout } from "../package.ts";
import { createDocs } from "./docs.ts";
import { bundleFolder, readPages } from "./files.ts";
import { HINTS } from "./hints.ts";
import { createLimit } from "./limits.ts";

/** What a server is made from. */
export interface PlatformParts {
  readonly databases: Databases;
  /** The folder of the bundle. */
  readonly bundle: string;
  readonly settings: Settings;
  /** Whether native ONNX Runtime reads the texts. */
  readonly native: boolean;
  /** The text of the keys that sign profile tokens; undefined turns tokens off. */
  readonly tokenKeys: string | undefined;
  /** The API key of the playground on this machine. */
  readonly localPageKey: string | undefined;
  /** Requests of one caller in a minute, and those that learn; 0 for no limit. */
  readonly limits: { readonly requests: number; readonly learning: number };
  readonly observe: Platform["observe"];
}

/** Returns the platform of a process of Node, Deno or Bun. @throws CommandError if the pages are not built */
export async function serverPlatform(parts: PlatformParts): Promise<Platform> {
  const { databases, bundle, settings, native, tokenKeys, localPageKey, limits, observe } = parts;
  return {
    about: readAbout(),
    settings: () => settings,
    tokenKeys: () => tokenKeys,
    localPageKey,
    databases,
    bundle: bundleFolder(bundle),
    pages: await readPages(),
    docs: createDocs(),
    modules: (choice) => compileModules(native ? "native" : choice),
    loadEndsAfterMs: Number.POSITIVE_INFINITY,
    limits: {
      requests: createLimit("requests", limits.requests),
      learning: createLimit("learning", limits.learning),
    },
    now: () => Date.now(),
    observe,
    hints: HINTS,
  };
}
