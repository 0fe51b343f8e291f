import { type BenchWorker, withWorker } from "../isolate.ts";
import { TASK } from "./rows.ts";

/** Bytes of a database's file, as D1 tells them: its pages, full or not. */
export async function fileBytes(db: D1Database): Promise<number> {
  return (await db.prepare("SELECT 1").run()).meta.size_after;
}

/** Rows that D1 counts as written for a profile that is made: its own and the index's. */
export async function rowsWritten(db: D1Database): Promise<number> {
  const others = "masks, label_bias, generation, updated_at";
  const copy = db.prepare(
    `INSERT INTO profiles (task, id, ${others}) SELECT task, 'counted', ${others} FROM profiles WHERE task = ? LIMIT 1`,
  );
  return (await copy.bind(TASK).run()).meta.rows_written;
}

/** Starts as many Workers side by side, each with a database of its own, and stops them when all is done. */
export async function withWorkers<Result>(
  count: number,
  use: (workers: readonly BenchWorker[]) => Promise<Result>,
  started: readonly BenchWorker[] = [],
): Promise<Result> {
  if (started.length === count) return await use(started);
  return await withWorker((worker) => withWorkers(count, use, [...started, worker]));
}
