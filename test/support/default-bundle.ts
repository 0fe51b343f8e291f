import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ReadFile } from "../../src/bundle/files.ts";

export { compileKernels, compileRuntime } from "../../node/engine.ts";

/** The default bundle's folder in the repository. */
export const BUNDLE = fileURLToPath(import.meta.resolve("../../bundles/minilm-l6-v2/"));

/** Reads the default bundle from its folder. */
export const readBundle: ReadFile = async (path) => {
  try {
    return new Uint8Array(await readFile(BUNDLE + path));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
};
