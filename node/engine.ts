import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Modules } from "../src/model/text-parts.ts";
import type { EngineChoice } from "../src/model/trunk.ts";
import { createEngine, type Engine } from "../src/serving/engine.ts";
import { readFolder } from "./files.ts";
import { packagePath } from "./package.ts";

/** What the project's types, which are workerd's, lack of WebAssembly. */
const { compile: compileBytes, validate } = WebAssembly as unknown as {
  compile(bytes: Uint8Array): Promise<WebAssembly.Module>;
  validate(bytes: Uint8Array): boolean;
};

/** Compiles a WASM file to what a Worker gets by importing it. */
const compile = async (path: string): Promise<WebAssembly.Module> => await compileBytes(await readFile(path));

/** Compiles the WASM of ONNX Runtime. */
export const compileRuntime = (): Promise<WebAssembly.Module> =>
  compile(createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"));

/** Compiles the kernels that merge adapters. */
export const compileKernels = (): Promise<WebAssembly.Module> => compile(packagePath("src/model/kernels/kernels.wasm"));

/** A module whose function `[] -> [v128]` swizzles relaxedly two vectors of 16 equal bytes. */
const RELAXED_SIMD = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 5, 1, 0x60, 0, 1, 0x7b],
  ...[3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 0x41, 1, 0xfd, 15, 0x41, 2, 0xfd, 15, 0xfd, 0x80, 2, 11],
);

/**
 * Compiles the kernels of the encoder; null, with a warning, where relaxed SIMD is missing.
 *
 * @param hasRelaxedSimd whether this Node compiles relaxed SIMD
 */
export async function compileEncoderKernels(
  hasRelaxedSimd = validate(RELAXED_SIMD),
): Promise<WebAssembly.Module | null> {
  if (hasRelaxedSimd) return await compile(packagePath("src/model/kernels/encoder.wasm"));
  const message = `Node ${process.versions.node} has no relaxed SIMD, so ONNX Runtime reads the texts, which is slower.`;
  process.emitWarning(message, { code: "XPEFT_NO_RELAXED_SIMD" });
  return null;
}

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
