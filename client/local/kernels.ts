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

/** What the project's types, which are workerd's, lack of WebAssembly. */
const { compile } = WebAssembly as unknown as { compile(bytes: Uint8Array): Promise<WebAssembly.Module> };

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
  return { encoderKernels: await compile(encoder), kernels: await compile(kernels) };
}

/** Reads and compiles the kernels of this package. Bundlers that know `new URL(…, import.meta.url)` copy the files. */
export async function fetchKernels(): Promise<Kernels> {
  const [encoder, kernels] = await Promise.all(
    [
      new URL("../../src/model/kernels/encoder.wasm", import.meta.url),
      new URL("../../src/model/kernels/kernels.wasm", import.meta.url),
    ].map(async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer())),
  );
  if (!encoder || !kernels) throw new RangeError("there are two files");
  return await compileKernels(encoder, kernels);
}
