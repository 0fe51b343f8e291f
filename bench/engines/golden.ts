import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FOLDER } from "./files.ts";
import type { EncoderSizes } from "./layout.ts";
import { createTrunk } from "./trunk.ts";

const KERNELS = "bench/engines/kernels/trunk.wasm";

const goldenSchema = z.array(
  z.object({ ids: z.array(z.int()), first: z.array(z.number()), last: z.array(z.number()) }),
);

/** Texts of so few tokens hardly have a number that rounds to another step. */
const SHORT = 8;
const ROUNDING = 1e-4;
const LEAST_COSINE = 0.99;

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
 * Holds the kernels to what `training/bench/packed.py` computes in PyTorch: short texts up to float rounding, longer ones
 * up to numbers that rounding moves to the next step.
 *
 * @throws Error if they differ
 */
export async function checkGolden(): Promise<void> {
  const read = (name: string) => readFile(join(FOLDER, name));
  const sizes: EncoderSizes = JSON.parse((await read("sizes.json")).toString());
  // Node compiles bytes; workerd, whose types apply here, does not.
  const compile = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
  const trunk = createTrunk(new compile(await readFile(KERNELS)), sizes, await read("encoder.packed"));
  for (const { ids, first, last } of goldenSchema.parse(JSON.parse((await read("golden.json")).toString()))) {
    const residual = trunk.run({ ids: Int32Array.from(ids), typeIds: new Int32Array(ids.length) }, null);
    for (const [expected, found] of [
      [first, residual.subarray(0, first.length)],
      [last, residual.subarray(-last.length)],
    ] as const) {
      const farthest = Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN))));
      if (ids.length <= SHORT ? farthest < ROUNDING : cosine(expected, found) > LEAST_COSINE) continue;
      throw new Error(`The kernels differ from training/bench/packed.py on a text of ${ids.length} tokens.`);
    }
  }
}
