// `npm run build:kernels`: compiles the AssemblyScript of the kernels to WebAssembly, which is committed beside it.
import { writeFile } from "node:fs/promises";
import asc from "assemblyscript/asc";

/** Entry points: the kernels of the pool and the tail, those of the encoder, and the loop of the bench `engines`. */
export const SOURCES = [
  "src/model/kernels/kernels.as.ts",
  "bench/floor/gemm.as.ts",
  "src/model/kernels/encoder.as.ts",
] as const;

/** No runtime: kernels allocate nothing, and the host lays out the memory that they import. */
const OPTIONS = [
  ...["-O3", "--noAssert", "--runtime", "stub", "--use", "abort="],
  ...["--importMemory", "--noExportMemory", "--enable", "simd,relaxed-simd,bulk-memory"],
  // Functions that take a v128 are called here alone.
  ...["--disableWarning", "112"],
];

/** Returns the path of a source's binary. */
export const binaryOf = (source: string): string => source.replace(/\.as\.ts$/, ".wasm");

/**
 * Compiles a source.
 *
 * @returns the bytes of the binary
 * @throws Error with the compiler's messages if the source is not valid
 */
export async function compile(source: string): Promise<Uint8Array> {
  let binary = new Uint8Array();
  const { error, stderr } = await asc.main([source, "--outFile", "kernels.wasm", ...OPTIONS], {
    writeFile(_name, contents) {
      binary = Uint8Array.from(contents as Uint8Array);
    },
  });
  if (error) throw new Error(`${source} does not compile:\n${stderr}`, { cause: error });
  return binary;
}

if (import.meta.main) for (const source of SOURCES) await writeFile(binaryOf(source), await compile(source));
