import { drizzle } from "drizzle-orm/d1";
import { createProfileStore } from "../../src/storage/profile-store.ts";
import { type BenchWorker, withWorker } from "../with-worker.ts";
import { GENERATION, idOf, TASK } from "./profiles.ts";

/** Returns the rows that D1 counts, and bills, for a lookup of one profile of a known task. */
export async function rowsRead(db: D1Database, number: number): Promise<number> {
  let statement: D1PreparedStatement | undefined;
  const prepare = (query: string) => ({
    bind(...parameters: unknown[]) {
      statement = db.prepare(query).bind(...parameters);
      return statement;
    },
  });
  await createProfileStore(drizzle({ prepare } as unknown as D1Database)).read(TASK, [idOf(number)], GENERATION);
  if (!statement) throw new Error("The store sent no query.");
  // Sent again, because drizzle returns rows without D1's metadata.
  return (await statement.run()).meta.rows_read;
}

/** Returns the rows that D1 counts as written for a new profile: its own and the index's. */
export async function rowsWritten(db: D1Database): Promise<number> {
  const columns = "masks, label_bias, generation, updated_at";
  const copy = db.prepare(
    `INSERT INTO profiles (task, id, ${columns}) SELECT task, 'copy', ${columns} FROM profiles WHERE task = ? LIMIT 1`,
  );
  return (await copy.bind(TASK).run()).meta.rows_written;
}

/** Starts that many Workers, each with its own database, passes them to `use`, and stops them. */
export async function withWorkers<Result>(
  count: number,
  use: (workers: readonly BenchWorker[]) => Promise<Result>,
  started: readonly BenchWorker[] = [],
): Promise<Result> {
  if (started.length === count) return await use(started);
  return await withWorker((worker) => withWorkers(count, use, [...started, worker]));
}
