import { XpeftError } from "../errors.ts";
import { sha256Hex } from "../lib/sha256.ts";
import { type BundleFile, type Manifest, parseManifest } from "./manifest.ts";

/** Reads a file of a bundle by its plain name; null where there is none. */
export type ReadFile = (path: string) => Promise<Uint8Array | null>;

/**
 * Reads a bundle's manifest.
 *
 * @throws XpeftError `bundle_file_missing` or `invalid_manifest`
 */
export async function readManifest(read: ReadFile): Promise<{ manifest: Manifest; id: string }> {
  return await parseManifest(await readPresent(read, "manifest.json"));
}

/**
 * Reads a listed file and checks it against the manifest.
 *
 * @throws XpeftError `bundle_file_missing`, or `bundle_file_corrupt` if its size or hash is not the manifest's
 */
export async function readVerified(read: ReadFile, file: BundleFile): Promise<Uint8Array> {
  const bytes = await readPresent(read, file.path);
  if (bytes.length !== file.bytes) {
    throw corrupt(`${file.path} has ${bytes.length} bytes where the manifest says ${file.bytes}.`);
  }
  if ((await sha256Hex(bytes)) !== file.sha256) {
    throw corrupt(`${file.path} does not have the SHA-256 that the manifest says.`);
  }
  return bytes;
}

async function readPresent(read: ReadFile, path: string): Promise<Uint8Array> {
  const bytes = await read(path);
  if (bytes === null) {
    throw new XpeftError("bundle_file_missing", `The bundle has no file ${path}.`);
  }
  return bytes;
}

function corrupt(message: string): XpeftError {
  return new XpeftError("bundle_file_corrupt", message);
}
