import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createEngine, type Engine } from "../src/serving/engine.ts";
import { readFolder } from "./files.ts";
import { packagePath } from "./package.ts";

/** Compiles a WASM file to what a Worker gets by importing it. */
async function compile(path: string): Promise<WebAssembly.Module> {
  // The project's types are workerd's, which lack WebAssembly.compile.
  const compileBytes: (bytes: Uint8Array) => Promise<WebAssembly.Module> = Reflect.get(WebAssembly, "compile");
  return await compileBytes(await readFile(path));
}

/** Compiles the WASM of ONNX Runtime. */
export const compileRuntime = (): Promise<WebAssembly.Module> =>
  compile(createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"));

/** Compiles the kernels that merge adapters. */
export const compileKernels = (): Promise<WebAssembly.Module> => compile(packagePath("src/model/kernels/kernels.wasm"));

/**
 * Loads the Worker's engine in Node.
 *
 * @param folder the folder of a bundle
 * @throws XpeftError `invalid_manifest`, `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 */
export async function loadEngine(folder: string): Promise<Engine> {
  const [wasm, kernels] = await Promise.all([compileRuntime(), compileKernels()]);
  return await createEngine({ read: readFolder(folder), wasm, kernels });
}
