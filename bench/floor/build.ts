// `node bench/floor/build.ts`: compiles gemm.wat to gemm.wasm, which the bench's Worker imports.
import { readFile, writeFile } from "node:fs/promises";
import initWabt from "wabt";

const SOURCE = "bench/floor/gemm.wat";
export const COMPILED = "bench/floor/gemm.wasm";

/** Compiles the floor's matrix product. */
export async function compileGemm(): Promise<Uint8Array> {
  const wabt = await initWabt();
  const module = wabt.parseWat(SOURCE, await readFile(SOURCE, "utf8"), { relaxed_simd: true });
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

if (import.meta.main) await writeFile(COMPILED, await compileGemm());
