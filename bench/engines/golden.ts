import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { medianOf } from "../statistics.ts";
import { someAdapters } from "./adapters.ts";
import type { EncoderSizes } from "./layout.ts";
import { createTrunk } from "./trunk.ts";

const KERNELS = "bench/engines/kernels/trunk.wasm";

const goldenSchema = z.array(
  z.object({ ids: z.array(z.int()), first: z.array(z.number()), last: z.array(z.number()) }),
);

/** What a few numbers that round to another step leave. */
const LEAST_COSINE = 0.999;
/** Half of the short texts have no such number. */
const SHORT = 8;
const ROUNDING = 1e-4;

function cosine(a: readonly number[], b: ArrayLike<number>): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? Number.NaN;
    product += value * other;
    ofA += value ** 2;
    ofB += other ** 2;
  }
  return product / Math.sqrt(ofA * ofB);
}

/**
 * Holds the kernels to what `training/bench/packed.py` computes in PyTorch, up to numbers that rounding moves to the next
 * step of a quantization.
 *
 * @param folder of the packed encoder
 * @throws Error if they differ
 */
export async function checkGolden(folder: string): Promise<void> {
  const read = (name: string) => readFile(join(folder, name));
  const sizes: EncoderSizes = JSON.parse((await read("sizes.json")).toString());
  // Node compiles bytes; workerd, whose types apply here, does not.
  const compile = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
  const trunk = createTrunk(new compile(await readFile(KERNELS)), sizes, await read("encoder.packed"));
  const adapters = someAdapters(sizes);
  const texts = goldenSchema.parse(JSON.parse((await read("golden.json")).toString()));
  const differences: number[] = [];
  for (const { ids, first, last } of texts) {
    const residual = trunk.run({ ids: Int32Array.from(ids), typeIds: Int32Array.from(ids, (_, i) => i % 2) }, adapters);
    const found = [...residual.subarray(0, first.length), ...residual.subarray(-last.length)];
    const expected = [...first, ...last];
    if (!(cosine(expected, found) > LEAST_COSINE))
      throw new Error(`The kernels differ from training/bench/packed.py on a text of ${ids.length} tokens.`);
    if (ids.length <= SHORT)
      differences.push(Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN)))));
  }
  if (!(medianOf(differences) < ROUNDING)) throw new Error("The kernels differ from training/bench/packed.py.");
}
