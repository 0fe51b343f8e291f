import type { ReadFile } from "../../src/bundle/files.ts";
import { XpeftError } from "../../src/errors.ts";

/** A URL needs a host; the assets' host is never resolved. */
const ORIGIN = "https://bundle.invalid";

/** Returns a reader of the bundle's files in the Worker's static assets; it gives null for a file that is not there. */
export function readAsset(assets: Fetcher): ReadFile {
  return async (path) => {
    const response = await assets.fetch(new URL(encodeURIComponent(path), ORIGIN));
    if (response.status === 404) return null;
    if (!response.ok) {
      const message = `The bundle's file "${path}" was answered with status ${response.status}.`;
      throw new XpeftError("bundle_unusable", message, { reason: "read" });
    }
    return new Uint8Array(await response.arrayBuffer());
  };
}
