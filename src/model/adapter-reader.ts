import { sha256Hex } from "../lib/sha256.ts";
import type { PooledSizes } from "../profiles/adapter-sizes.ts";
import { readTaskAdapter, type TaskAdapter } from "../profiles/task-adapter.ts";
import type { AdapterPool } from "./pool/pool.ts";
import { createTaskPool } from "./pool/task.ts";

/** A task adapter with an id: the SHA-256 of its bytes in hex. Another version of the task has another one. */
export interface IdentifiedAdapter extends TaskAdapter {
  readonly id: string;
  /** The task's own pool; null if its masks choose from the bundle's. */
  readonly pool: AdapterPool | null;
}

/**
 * Returns a task's adapter; null if it has none.
 *
 * An adapter is read once for each array of bytes, so a cached row of a task keeps what was read.
 *
 * @throws XpeftError `invalid_row` if it does not fit the bundle
 */
export type ReadAdapter = (bytes: Uint8Array | null) => Promise<IdentifiedAdapter | null>;

/** Creates what reads the adapters of tasks. */
export function createAdapterReader(sizes: PooledSizes): ReadAdapter {
  // Adapters, not promises: workerd would continue whoever awaits another request's promise in that other request.
  const known = new WeakMap<Uint8Array, IdentifiedAdapter>();
  return async (bytes) => {
    if (bytes === null) return null;
    const cached = known.get(bytes);
    if (cached) return cached;
    const { pool, ...matrices } = readTaskAdapter(bytes, sizes);
    const adapter = { ...matrices, pool: pool && createTaskPool(sizes, pool), id: await sha256Hex(bytes) };
    known.set(bytes, adapter);
    return adapter;
  };
}
