// `npm run build:kernels`: assembles WebAssembly text to the binaries beside it, which are committed.
import { readFile, writeFile } from "node:fs/promises";
import initWabt from "wabt";

/** Sources: the pool's kernels, and the matrix product of the bench `floor`. */
export const SOURCES = ["src/model/pool/kernels.wat", "bench/floor/gemm.wat"] as const;

/** Returns the path of a source's binary. */
export const binaryOf = (source: string): string => source.replace(/\.wat$/, ".wasm");

/**
 * Assembles a source, for WebAssembly with relaxed 128-bit SIMD.
 *
 * @returns the bytes of the binary
 * @throws Error if the source is not valid WebAssembly text
 */
export async function assemble(source: string): Promise<Uint8Array> {
  const wabt = await initWabt();
  const features = { simd: true, relaxed_simd: true, bulk_memory: true };
  const module = wabt.parseWat(source, await readFile(source, "utf8"), features);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

if (import.meta.main) for (const source of SOURCES) await writeFile(binaryOf(source), await assemble(source));
