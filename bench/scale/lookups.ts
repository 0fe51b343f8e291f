import type { BenchWorker } from "../with-worker.ts";
import { GENERATION, idOf, TASK } from "./profiles.ts";

/**
 * Returns the milliseconds between a stream's lines, as they arrive.
 *
 * @throws Error if the stream has another number of lines after the first
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
    // Of lines that arrive together, only the first took time.
    for (let line = 0; line < chunk.length; line++) {
      if (last !== undefined) gaps.push(line === 0 ? time - last : 0);
      last = time;
    }
  }
  if (gaps.length !== lines) throw new Error(`The stream has ${gaps.length} lines, not ${lines}.`);
  return gaps;
}

/**
 * Looks up profiles in workerd one after the other, without caches, as a prediction with a known task does.
 *
 * @returns milliseconds of each lookup
 */
export async function timeLookups(worker: BenchWorker, numbers: readonly number[]): Promise<number[]> {
  const body = { task: TASK, generation: GENERATION, ids: numbers.map(idOf) };
  const response = await worker.request("POST", "/bench/lookups", { body });
  if (!response.ok || !response.body) throw new Error(`The Worker answered ${response.status}.`);
  return await gapsOf(response.body, numbers.length);
}
