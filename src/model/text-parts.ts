import type { ReadFile } from "../bundle/files.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { createEncoder, type Encoder } from "./encoder.ts";
import { loadKernelTrunk } from "./kernel-trunk.ts";
import type { OnnxRuntime } from "./onnx-runtime.ts";
import { loadTail, type Tail } from "./tail.ts";
import type { Trunk } from "./trunk.ts";

/** What reads texts: the whole encoder; or a trunk and a tail, where only the last layer is personal. */
export type TextParts =
  | { readonly encoder: Encoder; readonly tail: null }
  | { readonly trunk: Trunk; readonly tail: Tail };

/** What computes: ONNX Runtime, and compiled WASM, because workerd compiles imports only. */
export interface Modules {
  /** Null in a build without ONNX Runtime. */
  readonly onnx: OnnxRuntime | null;
  /** The kernels that merge the adapter pool and compute tails: src/model/kernels/kernels.wasm. */
  readonly kernels: WebAssembly.Module;
  /** The kernels of the encoder, encoder.wasm; null where relaxed SIMD is missing or ONNX Runtime is to be used. */
  readonly encoderKernels: WebAssembly.Module | null;
}

/**
 * Loads a bundle's encoder for the kernels if both the bundle and the machine allow it, and else for ONNX Runtime. Only
 * the files of that engine are read.
 *
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 */
export async function loadTextParts(manifest: Manifest, read: ReadFile, modules: Modules): Promise<TextParts> {
  const { onnx, kernels, encoderKernels } = modules;
  const tail = await loadTail(manifest, read, kernels);
  if (!tail) return { encoder: await createEncoder(onnx, manifest, read), tail };
  const packed = encoderKernels && (await loadKernelTrunk(manifest, read, encoderKernels));
  return { trunk: packed ?? (await createEncoder(onnx, manifest, read)), tail };
}
