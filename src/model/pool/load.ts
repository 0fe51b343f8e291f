import type { ReadFile } from "../../bundle/files.ts";
import type { Manifest } from "../../bundle/manifest.ts";
import type { AdapterPool } from "./pool.ts";
import { createSignPool } from "./sign.ts";
import { readTrainedPool } from "./trained.ts";

/**
 * Returns the pool of a bundle: computed from a seed, or read from its files.
 *
 * @param kernels kernels.wasm, compiled
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 */
export async function loadPool(manifest: Manifest, read: ReadFile, kernels: WebAssembly.Module): Promise<AdapterPool> {
  const { pool } = manifest;
  if (pool.kind === "sign") return await createSignPool({ ...manifest, pool }, kernels);
  return await readTrainedPool(manifest, manifest.files, read, kernels);
}
