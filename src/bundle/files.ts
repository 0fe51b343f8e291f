import { XpeftError } from "../errors.ts";
import { sha256Hex } from "../lib/sha256.ts";
import { type Bundle, type BundleFile, parseManifest } from "./manifest.ts";

/** Reads a file of a bundle by its plain name; null if it does not exist. */
export type ReadFile = (path: string) => Promise<Uint8Array | null>;

/**
 * Returns a bundle's manifest and its id.
 *
 * @throws XpeftError `bundle_file_missing` or `invalid_manifest`
 */
export async function readManifest(read: ReadFile): Promise<Bundle> {
  return await parseManifest(await readExisting(read, "manifest.json"));
}

/**
 * Returns the bytes of a listed file, checked against the manifest.
 *
 * @throws XpeftError `bundle_file_missing`, or `bundle_file_corrupt` if its size or hash differs
 */
export async function readVerified(read: ReadFile, file: BundleFile): Promise<Uint8Array> {
  const bytes = await readExisting(read, file.path);
  if (bytes.length !== file.bytes) {
    throw corrupt(`${file.path} has ${bytes.length} bytes; the manifest says ${file.bytes}.`);
  }
  if ((await sha256Hex(bytes)) !== file.sha256) {
    throw corrupt(`The SHA-256 of ${file.path} differs from the manifest.`);
  }
  return bytes;
}

async function readExisting(read: ReadFile, path: string): Promise<Uint8Array> {
  const bytes = await read(path);
  if (bytes === null) {
    throw new XpeftError("bundle_file_missing", `The bundle has no file ${path}.`);
  }
  return bytes;
}

function corrupt(message: string): XpeftError {
  return new XpeftError("bundle_file_corrupt", message);
}
