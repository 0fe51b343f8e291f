import { DEFAULT_BUNDLE, readFolder } from "../../node/files.ts";

export { compileKernels, compileRuntime } from "../../node/engine.ts";

/** Reads a file of the default bundle. */
export const readBundleFile = readFolder(DEFAULT_BUNDLE);
