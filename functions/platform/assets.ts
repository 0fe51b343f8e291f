import type { BundleFiles } from "../../app/platform/platform.ts";
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

/** Returns the bundle's files in the Worker's static assets. */
export const bundleAssets = (assets: Fetcher): BundleFiles => ({
  async read(path) {
    const response = await fetchAsset(assets, path);
    return response && new Uint8Array(await response.arrayBuffer());
  },
  open: async (path) => (await fetchAsset(assets, path))?.body ?? null,
});
