import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { compileWasm } from "../src/lib/wasm.ts";
import type { OnnxRuntime } from "../src/model/onnx-runtime.ts";
import { hasRelaxedSimd } from "../src/model/relaxed-simd.ts";
import type { Modules } from "../src/model/text-parts.ts";
import type { EngineChoice } from "../src/model/trunk.ts";
import { createWebRuntime } from "../src/model/web-runtime.ts";
import { createEngine, type Engine } from "../src/serving/engine.ts";
import { readFolder } from "./files.ts";
import { loadNativeRuntime } from "./native-runtime.ts";

/** What can be asked for in Node: also native ONNX Runtime. */
export type NodeEngineChoice = EngineChoice | "native";

/** Compiles a WASM file to what a Worker gets by importing it. */
const compile = async (path: string): Promise<WebAssembly.Module> => await compileWasm(await readFile(path));

/** Returns the path of kernels; the package has them beside its compiled sources. */
const kernelsPath = (name: string): string => join(import.meta.dirname, `../src/model/kernels/${name}.wasm`);

/** Returns ONNX Runtime Web. */
export const loadWebRuntime = async (): Promise<OnnxRuntime> =>
  createWebRuntime(
    await compile(createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm")),
  );

/** Compiles the kernels that merge adapters. */
export const compileKernels = (): Promise<WebAssembly.Module> => compile(kernelsPath("kernels"));

/**
 * Compiles the kernels of the encoder; null, with a warning, where relaxed SIMD is missing.
 *
 * @param isSupported whether this Node compiles relaxed SIMD
 */
export async function compileEncoderKernels(isSupported = hasRelaxedSimd()): Promise<WebAssembly.Module | null> {
  if (isSupported) return await compile(kernelsPath("encoder"));
  const message = `Node ${process.versions.node} has no relaxed SIMD, so ONNX Runtime reads the texts, which is slower.`;
  process.emitWarning(message, { code: "XPEFT_NO_RELAXED_SIMD" });
  return null;
}

/**
 * Compiles or loads all that an engine needs.
 *
 * @throws CommandError with "native" if the optional package onnxruntime-node cannot be loaded
 */
export async function compileModules(choice: NodeEngineChoice = "auto"): Promise<Modules> {
  const [onnx, kernels, encoderKernels] = await Promise.all([
    choice === "native" ? loadNativeRuntime() : loadWebRuntime(),
    compileKernels(),
    choice === "auto" ? compileEncoderKernels() : null,
  ]);
  return { onnx, kernels, encoderKernels };
}

/**
 * Loads the Worker's engine in Node.
 *
 * @param folder the folder of a bundle
 * @throws XpeftError `invalid_manifest`, `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 * @throws CommandError with "native" if the optional package onnxruntime-node cannot be loaded
 */
export async function loadEngine(folder: string, choice: NodeEngineChoice = "auto"): Promise<Engine> {
  return await createEngine({ read: readFolder(folder), ...(await compileModules(choice)) });
}
