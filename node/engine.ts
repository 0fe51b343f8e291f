import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Modules } from "../src/model/text-parts.ts";
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

/** Compiles the kernels of the encoder; null, with a warning, where relaxed SIMD is missing. */
async function compileEncoderKernels(): Promise<WebAssembly.Module | null> {
  try {
    return await compile(packagePath("src/model/kernels/encoder.wasm"));
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    process.emitWarning(
      `Node ${process.versions.node} has no relaxed SIMD, so ONNX Runtime reads the texts, which is slower. Node 22 has it.`,
      { code: "XPEFT_NO_RELAXED_SIMD" },
    );
    return null;
  }
}

/** What computes the encoder: with "auto" the kernels, if the bundle and the machine allow it. */
export type EngineChoice = "auto" | "onnxruntime";

/** Compiles all that an engine needs. */
export async function compileModules(choice: EngineChoice = "auto"): Promise<Modules> {
  const [wasm, kernels, encoderKernels] = await Promise.all([
    compileRuntime(),
    compileKernels(),
    choice === "auto" ? compileEncoderKernels() : null,
  ]);
  return { wasm, kernels, encoderKernels };
}

/**
 * Loads the Worker's engine in Node.
 *
 * @param folder the folder of a bundle
 * @throws XpeftError `invalid_manifest`, `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 */
export async function loadEngine(folder: string, choice: EngineChoice = "auto"): Promise<Engine> {
  return await createEngine({ read: readFolder(folder), ...(await compileModules(choice)) });
}
