import type { ReadFile } from "../../src/bundle/files.ts";
import { XpeftError } from "../../src/errors.ts";

/** A URL needs a host; the assets' host is never resolved. */
const ORIGIN = "https://bundle.invalid";

/**
 * Opens a file of the Worker's static assets; null if it is not there.
 *
 * @throws XpeftError `bundle_unusable`
 */
async function fetchAsset(assets: Fetcher, path: string): Promise<Response | null> {
  const response = await assets.fetch(new URL(encodeURIComponent(path), ORIGIN));
  if (response.status === 404) return null;
  if (response.ok) return response;
  const message = `The bundle's file "${path}" was answered with status ${response.status}.`;
  throw new XpeftError("bundle_unusable", message, { reason: "read" });
}

/** Returns a reader of the bundle's files in the Worker's static assets; it gives null for a file that is not there. */
export function readAsset(assets: Fetcher): ReadFile {
  return async (path) => {
    const response = await fetchAsset(assets, path);
    return response && new Uint8Array(await response.arrayBuffer());
  };
}

/**
 * Returns a file of the bundle as a stream: an isolate never holds more than a part of it.
 *
 * @throws XpeftError `bundle_file_missing` or `bundle_unusable`
 */
export async function openBundleFile(assets: Fetcher, path: string): Promise<ReadableStream> {
  const response = await fetchAsset(assets, path);
  if (!response?.body) throw new XpeftError("bundle_file_missing", `The bundle has no file ${path}.`);
  return response.body;
}
