// `npm run build:kernels`: compiles the source of the pool's kernels to the binary beside it, which is committed.
import { readFile, writeFile } from "node:fs/promises";
import initWabt from "wabt";

const SOURCE = "src/model/pool/kernels.wat";

/** Where the binary is. */
export const BINARY = "src/model/pool/kernels.wasm";

/**
 * Compiles the kernels, for WebAssembly with 128-bit SIMD.
 *
 * @returns the bytes of the binary
 * @throws Error if the source is no WebAssembly text
 */
export async function compileKernels(): Promise<Uint8Array> {
  const wabt = await initWabt();
  const module = wabt.parseWat(SOURCE, await readFile(SOURCE, "utf8"), { simd: true, bulk_memory: true });
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

if (import.meta.main) await writeFile(BINARY, await compileKernels());
