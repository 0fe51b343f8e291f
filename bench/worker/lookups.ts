import { drizzle } from "drizzle-orm/d1";
import type { Bindings } from "../../functions/platform/bindings.ts";
import { createProfileStore } from "../../src/storage/profile-store.ts";

/** Profiles to look up. */
export interface LookupParams {
  readonly task: string;
  /** The task's generation, which a prediction knows when it looks up a profile. */
  readonly generation: number;
  readonly ids: readonly string[];
}

/**
 * Reads profiles one after the other, as a prediction does if no cache has the profile.
 *
 * @returns an empty line at the start and one after each profile. A lookup takes about a millisecond, which is the
 * resolution of workerd's clock, so the reader of the lines takes the time.
 */
export function lookups({ task, generation, ids }: LookupParams, { DB }: Bindings): ReadableStream<Uint8Array> {
  if (!DB) throw new Error("No database is bound.");
  const line = new TextEncoder().encode("\n");
  const queue = ids.values();
  return new ReadableStream({
    start: (stream) => stream.enqueue(line),
    async pull(stream) {
      const { value: id, done } = queue.next();
      if (done) return stream.close();
      const session = drizzle(DB.withSession("first-unconstrained") as unknown as D1Database);
      const { profiles } = await createProfileStore(session).read(task, [id], generation);
      if (!profiles.has(id)) throw new Error(`There is no profile "${id}".`);
      stream.enqueue(line);
    },
  });
}
