import { createHash } from "node:crypto";
import type { BundleFile } from "../../src/bundle/manifest.ts";
import type { AdapterPool, PoolShape } from "../../src/model/pool/pool.ts";
import { readTrainedPool } from "../../src/model/pool/trained.ts";
import { compileKernels } from "./default-bundle.ts";

/** Returns a pool file's entry in a manifest. */
export const poolFile = (path: string, data: Uint8Array): BundleFile => ({
  path,
  role: "pool",
  bytes: data.length,
  sha256: createHash("sha256").update(data).digest("hex"),
});

/** Returns a trained pool of these bytes, read from files of `part` bytes each. */
export async function trainedPool(shape: PoolShape, bytes: Uint8Array, part = bytes.length): Promise<AdapterPool> {
  const parts = Array.from({ length: Math.ceil(bytes.length / part) }, (_, number) =>
    bytes.slice(number * part, (number + 1) * part),
  );
  const files = parts.map((data, number) => poolFile(`pool.${number}`, data));
  const read = async (path: string) => parts[Number(path.slice("pool.".length))] ?? null;
  return await readTrainedPool(shape, files, read, await compileKernels());
}
