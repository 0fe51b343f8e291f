import { drizzle } from "drizzle-orm/d1";
import { createProfileStore } from "../../src/storage/profile-store.ts";
import type { BenchWorker } from "../isolate.ts";
import { idOf, TASK } from "./rows.ts";

/** Of a task that was written once. */
const GENERATION = 1;

/**
 * Milliseconds between the lines of a stream, as they arrive.
 *
 * @throws Error if there are not that many lines after the first
 */
export async function gapsOf(
  stream: AsyncIterable<Uint8Array>,
  lines: number,
  now: () => number = () => performance.now(),
): Promise<number[]> {
  const gaps: number[] = [];
  let last: number | undefined;
  for await (const chunk of stream) {
    const time = now();
    // Lines that come together: the first of them waited for the reader, the others for nothing.
    for (let line = 0; line < chunk.length; line++) {
      if (last !== undefined) gaps.push(line === 0 ? time - last : 0);
      last = time;
    }
  }
  if (gaps.length !== lines) throw new Error(`The stream has ${gaps.length} lines, not ${lines}.`);
  return gaps;
}

/**
 * Looks profiles up in workerd one after the other, past every cache, as a prediction does whose task is known.
 *
 * @returns milliseconds of each
 */
export async function timeLookups(worker: BenchWorker, numbers: readonly number[]): Promise<number[]> {
  const body = { task: TASK, generation: GENERATION, ids: numbers.map(idOf) };
  const response = await worker.ask("POST", "/bench/lookups", { body });
  if (!response.ok || !response.body) throw new Error(`The Worker answered ${response.status}.`);
  return await gapsOf(response.body, numbers.length);
}

/** Rows that D1 counts, and so bills, for a lookup of one profile whose task is known. */
export async function rowsRead(db: D1Database, number: number): Promise<number> {
  let asked: D1PreparedStatement | undefined;
  const prepare = (query: string) => ({
    bind(...parameters: unknown[]) {
      asked = db.prepare(query).bind(...parameters);
      return asked;
    },
  });
  await createProfileStore(drizzle({ prepare } as unknown as D1Database)).read(TASK, [idOf(number)], GENERATION);
  if (!asked) throw new Error("The store asked nothing.");
  // Asked again, as the driver takes rows without what D1 tells of them.
  return (await asked.run()).meta.rows_read;
}
