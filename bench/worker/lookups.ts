import { drizzle } from "drizzle-orm/d1";
import { createProfileStore } from "../../src/storage/profile-store.ts";
import type { Isolate } from "./isolate.ts";

/** Which profiles are to be looked up. */
export interface LookupParams {
  readonly task: string;
  /** The task's: it is known, as it is wherever its profiles are asked for. */
  readonly generation: number;
  readonly ids: readonly string[];
}

/**
 * Reads profiles one after the other, each as a prediction reads one that is in no cache.
 *
 * @returns a line as soon as the reading begins, and one after each profile: workerd's own clock ticks in whole
 * milliseconds, which is about what a profile takes, so whoever reads the lines is to take the time
 */
export function lookups({ task, generation, ids }: LookupParams, { env }: Isolate): ReadableStream<Uint8Array> {
  const { DB } = env;
  if (!DB) throw new Error("No database is bound.");
  const line = new TextEncoder().encode("\n");
  const left = ids.values();
  return new ReadableStream({
    start: (stream) => stream.enqueue(line),
    async pull(stream) {
      const { value: id, done } = left.next();
      if (done) return stream.close();
      const session = DB.withSession("first-unconstrained");
      const { profiles } = await createProfileStore(drizzle(session as unknown as D1Database)).read(
        task,
        [id],
        generation,
      );
      if (!profiles.has(id)) throw new Error(`There is no profile ${id}.`);
      stream.enqueue(line);
    },
  });
}
