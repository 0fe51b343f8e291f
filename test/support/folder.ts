import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { ReadFile } from "../../src/bundle/files.ts";

/** The default bundle's folder, as it is in the repository. */
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

/** Compiles WASM as a Worker's import of it is. */
async function compile(path: string): Promise<WebAssembly.Module> {
  const compileBytes: (bytes: Uint8Array) => Promise<WebAssembly.Module> = Reflect.get(WebAssembly, "compile");
  return await compileBytes(await readFile(path));
}

/** ONNX Runtime's WASM. */
export const compileRuntime = (): Promise<WebAssembly.Module> =>
  compile(createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"));

/** The kernels of adapter pools. */
export const compileKernels = (): Promise<WebAssembly.Module> =>
  compile(fileURLToPath(import.meta.resolve("../../src/pool/kernels.wasm")));
