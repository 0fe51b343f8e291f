import { createHash } from "node:crypto";
import type { BundleFile } from "../../src/bundle/manifest.ts";
import type { AdapterPool, PoolShape } from "../../src/model/pool/pool.ts";
import { readTrainedPool } from "../../src/model/pool/trained.ts";
import { type MaskShape, maskShapeOf } from "../../src/profiles/masks.ts";
import { compileKernels } from "./default-bundle.ts";

/** Returns a pool file's entry in a manifest. */
export const poolFile = (path: string, data: Uint8Array): BundleFile => ({
  path,
  role: "pool",
  bytes: data.length,
  sha256: createHash("sha256").update(data).digest("hex"),
});

/** Sizes of a pool as the companion's golden file has them. */
interface CompanionShape {
  readonly layers: number;
  readonly hidden: number;
  readonly bottleneck: number;
  readonly size: number;
  readonly chosen: number;
  readonly firstLayer?: number;
}

/** Returns the shape of the masks of the companion's pool. */
export const maskShapeFrom = ({ layers, size, chosen, firstLayer = 0 }: CompanionShape): MaskShape =>
  maskShapeOf({ layers, pool: { firstLayer, size, chosen } });

/** Returns the sizes of an encoder and a pool that masks of a shape fit. */
export const poolShapeOf = (
  { firstLayer, layers, size, chosen }: MaskShape,
  { hidden, bottleneck }: { hidden: number; bottleneck: number },
): PoolShape => ({ layers: firstLayer + layers, hidden, bottleneck, pool: { firstLayer, size, chosen } });

/** Returns a trained pool of these bytes, read from files of `part` bytes each. */
export async function trainedPool(shape: PoolShape, bytes: Uint8Array, part = bytes.length): Promise<AdapterPool> {
  const parts = Array.from({ length: Math.ceil(bytes.length / part) }, (_, number) =>
    bytes.slice(number * part, (number + 1) * part),
  );
  const files = parts.map((data, number) => poolFile(`pool.${number}`, data));
  const read = async (path: string) => parts[Number(path.slice("pool.".length))] ?? null;
  return await readTrainedPool(shape, files, read, await compileKernels());
}
