import { compileKernels, compileModules } from "../../node/engine.ts";
import { DEFAULT_BUNDLE, readFolder } from "../../node/files.ts";
import { createEngine, type Engine } from "../../src/serving/engine.ts";

export { compileKernels, compileModules };

/** Reads a file of the default bundle. */
export const readBundleFile = readFolder(DEFAULT_BUNDLE);

/** Returns an engine over the default bundle's files with another manifest, and with more files by their paths. */
export async function engineWith(manifest: string, files: Readonly<Record<string, Uint8Array>> = {}): Promise<Engine> {
  const all: Record<string, Uint8Array> = { ...files, "manifest.json": new TextEncoder().encode(manifest) };
  const read = async (path: string) => all[path] ?? (await readBundleFile(path));
  return await createEngine({ read, ...(await compileModules()) });
}
