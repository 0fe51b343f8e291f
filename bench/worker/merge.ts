import kernels from "../../src/model/kernels/kernels.wasm";
import { mergeAdapters } from "../../src/model/merge.ts";
import { createSignPool } from "../../src/model/pool/sign.ts";
import { maskShapeOf } from "../../src/profiles/masks.ts";
import { masksOf } from "../../test/support/rows.ts";
import type { Isolate } from "./isolate.ts";
import { createTrainedPool } from "./pools.ts";
import { type Sampling, sampleInRounds } from "./sampling.ts";
import { type Graph, withRun } from "./sessions.ts";

/** Parameters of {@link merge}. */
export interface MergeParams extends Sampling {
  readonly graph: Graph;
  /** Tokens of the encoder's text. */
  readonly tokens: number;
  readonly kind: "sign" | "int8";
  /** Adapters in the pool. */
  readonly size: number;
  /** Adapters that each mask chooses. */
  readonly chosen: number;
}

/** Enough that a profile's matrices have left the processor's first cache when its turn comes again. */
const PROFILES = 32;

/** Measures the merge of a profile that no cache has, in all layers on both sides, and a run of the encoder. */
export async function merge(
  { graph, tokens, kind, size, chosen, ...sampling }: MergeParams,
  { env }: Isolate,
): Promise<{ merge: number[]; encoder: number[] }> {
  const shape = { layers: 6, hidden: 384, bottleneck: 24, pool: { firstLayer: 0, size, chosen } };
  const pool =
    kind === "int8"
      ? await createTrainedPool(shape, kernels)
      : await createSignPool({ ...shape, pool: { ...shape.pool, seed: 0, scale: 0.14 } }, kernels);
  const masks = Array.from({ length: PROFILES }, (_, seed) => masksOf(seed, maskShapeOf(shape)));
  let calls = 0;
  const merge = () => mergeAdapters(pool, masks[calls++ % PROFILES] ?? new Uint8Array(), null);
  return await withRun(env, graph, tokens, (encoder) => sampleInRounds({ merge, encoder }, sampling));
}
