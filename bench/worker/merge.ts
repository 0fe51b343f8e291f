import { mergeAdapters } from "../../src/model/merge.ts";
import kernels from "../../src/model/pool/kernels.wasm";
import type { AdapterPool, PoolShape } from "../../src/model/pool/pool.ts";
import { createSignPool } from "../../src/model/pool/sign.ts";
import { masksOf } from "../../test/support/rows.ts";
import { feedsOf } from "./feeds.ts";
import type { Isolate } from "./isolate.ts";
import { createTrainedPool } from "./pools.ts";
import { type Graph, openGraph } from "./sessions.ts";
import { inTurns, type Patience } from "./turns.ts";

/** What merging is measured with. */
export interface MergeParams extends Patience {
  readonly encoder: Graph;
  /** Tokens that the encoder reads. */
  readonly tokens: number;
  readonly kind: "sign" | "int8";
  /** Adapters in the pool. */
  readonly size: number;
  /** Adapters that each mask chooses. */
  readonly chosen: number;
}

/** So many that one's matrices are not all in the processor's nearest cache from the last time. */
const PROFILES = 32;

/** Merging for a profile that was not merged before, all layers and both sides; and a run of the encoder. */
export async function merge(
  { encoder, tokens, kind, size, chosen, ...patience }: MergeParams,
  { env }: Isolate,
): Promise<{ merge: number[]; encoder: number[] }> {
  const session = await openGraph(env, encoder);
  try {
    const shape = { layers: 6, hidden: 384, bottleneck: 24, pool: { size, chosen } };
    const pool = await poolOf(kind, shape);
    const blobs = Array.from({ length: PROFILES }, (_, seed) => masksOf(seed, { layers: shape.layers, size, chosen }));
    const feeds = feedsOf(session, tokens);
    let next = 0;
    return await inTurns(
      {
        merge: async () => mergeAdapters(pool, blobs[next++ % PROFILES] ?? new Uint8Array()),
        encoder: () => session.run(feeds),
      },
      patience,
    );
  } finally {
    await session.release();
  }
}

async function poolOf(kind: MergeParams["kind"], shape: PoolShape): Promise<AdapterPool> {
  if (kind === "int8") return await createTrainedPool(shape, kernels);
  return await createSignPool({ ...shape, pool: { ...shape.pool, seed: 0, scale: 0.14 } }, kernels);
}
