import type { ReadFile } from "../../src/bundle/files.ts";
import { XpeftError } from "../../src/errors.ts";

/** The assets' host is of no account, but a URL must have one. */
const ORIGIN = "https://bundle.invalid";

/** Reads the bundle's files from the Worker's static assets; null where there is no such file. */
export function readAsset(assets: Fetcher): ReadFile {
  return async (path) => {
    const response = await assets.fetch(new URL(encodeURIComponent(path), ORIGIN));
    if (response.status === 404) return null;
    if (!response.ok) {
      throw new XpeftError(
        "bundle_unusable",
        `The bundle's file "${path}" was answered with status ${response.status}.`,
        "Try again; if it goes on, deploy the bundle again.",
      );
    }
    return new Uint8Array(await response.arrayBuffer());
  };
}
