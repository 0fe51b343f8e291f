import { compileWasm } from "../../src/lib/wasm.ts";
import { hasRelaxedSimd } from "../../src/model/relaxed-simd.ts";

/** This browser cannot run the kernels. */
export class NoRelaxedSimdError extends Error {
  readonly hint = "Send texts to the service instead: POST /v1/predict.";

  constructor() {
    super("This browser has no relaxed SIMD.");
    this.name = "NoRelaxedSimdError";
  }
}

/** The kernels of the bundle's encoder, and those of adapters and tails, compiled. */
export interface Kernels {
  readonly encoderKernels: WebAssembly.Module;
  readonly kernels: WebAssembly.Module;
}

/**
 * Compiles the kernels.
 *
 * @param isSupported whether this browser compiles relaxed SIMD
 * @throws NoRelaxedSimdError where the browser has no relaxed SIMD
 */
export async function compileKernels(
  encoder: Uint8Array,
  kernels: Uint8Array,
  isSupported = hasRelaxedSimd(),
): Promise<Kernels> {
  if (!isSupported) throw new NoRelaxedSimdError();
  return { encoderKernels: await compileWasm(encoder), kernels: await compileWasm(kernels) };
}

/**
 * Reads and compiles the kernels of this package. Bundlers that know `new URL(…, import.meta.url)` copy the files.
 *
 * @throws NoRelaxedSimdError
 * @throws Error if a file is missing
 */
export async function fetchKernels(): Promise<Kernels> {
  const [encoder, kernels] = await Promise.all([
    fetchBytes(new URL("../../src/model/kernels/encoder.wasm", import.meta.url)),
    fetchBytes(new URL("../../src/model/kernels/kernels.wasm", import.meta.url)),
  ]);
  return await compileKernels(encoder, kernels);
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  throw new Error(`${url} answered ${response.status}. Copy the package's kernels there, or pass them as "kernels".`);
}
