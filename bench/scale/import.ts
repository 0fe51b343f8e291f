import type { BenchWorker } from "../isolate.ts";
import { linesOf, TASK } from "./rows.ts";

/** Lines that one request brings. */
const LINES = 20_000;

/** The last line of an import's answer; its other lines are results. */
interface Sums {
  readonly done?: true;
  readonly created: number;
  readonly replaced: number;
}

/** @throws Error if the last line is not that every profile was written */
export function checkSums(answer: string, profiles: number): void {
  const last = answer.trimEnd().split("\n").at(-1) ?? "";
  const { done, created, replaced } = JSON.parse(last) as Sums;
  if (!done || created + replaced !== profiles)
    throw new Error(`Of ${profiles} profiles not all were written: ${last}`);
}

/**
 * Imports profiles by `POST /v1/tasks/{task}/import`, one request after the other.
 *
 * @param masksOf the masks of a profile's number
 * @param progress is told how many are written
 * @returns seconds in which requests were under way
 */
export async function importOver(
  worker: BenchWorker,
  masksOf: (number: number) => Uint8Array,
  profiles: number,
  progress: (written: number) => void,
): Promise<number> {
  let seconds = 0;
  for (let from = 0; from < profiles; from += LINES) {
    progress(from);
    const below = Math.min(profiles, from + LINES);
    const body = linesOf(masksOf, from, below);
    const start = performance.now();
    const headers = { "content-type": "application/x-ndjson" };
    const response = await worker.ask("POST", `/v1/tasks/${TASK}/import`, { body, headers });
    const answer = await response.text();
    seconds += (performance.now() - start) / 1000;
    checkSums(answer, below - from);
  }
  return seconds;
}
