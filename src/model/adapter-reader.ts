import { sha256Hex } from "../lib/sha256.ts";
import { type AdapterSizes, readTaskAdapter, type TaskAdapter } from "../profiles/task-adapter.ts";

/** A task adapter with an id: the SHA-256 of its bytes in hex. Another version of the task has another one. */
export interface IdentifiedAdapter extends TaskAdapter {
  readonly id: string;
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
export function createAdapterReader(sizes: AdapterSizes): ReadAdapter {
  // Adapters, not promises: workerd would continue whoever awaits another request's promise in that other request.
  const known = new WeakMap<Uint8Array, IdentifiedAdapter>();
  return async (bytes) => {
    if (bytes === null) return null;
    const cached = known.get(bytes);
    if (cached) return cached;
    const adapter = { ...readTaskAdapter(bytes, sizes), id: await sha256Hex(bytes) };
    known.set(bytes, adapter);
    return adapter;
  };
}
