import type { BenchWorker } from "../with-worker.ts";
import { linesOf, TASK } from "./profiles.ts";

/** Lines of a request. */
const LINES = 20_000;

/** The last line of an import's response; the others are results. */
interface Summary {
  readonly done?: true;
  readonly created: number;
  readonly replaced: number;
}

/** @throws Error if the last line does not say that every profile was written */
export function checkSummary(response: string, profiles: number): void {
  const last = response.trimEnd().split("\n").at(-1) ?? "";
  const { done, created, replaced } = JSON.parse(last) as Summary;
  if (!done || created + replaced !== profiles)
    throw new Error(`Not all of ${profiles} profiles were written: ${last}`);
}

/**
 * Imports profiles by `POST /v1/tasks/{task}/import`, one request after the other.
 *
 * @param masksOf returns the masks of a profile by its number
 * @param progress receives the number of written profiles
 * @returns seconds of the requests
 */
export async function importProfiles(
  worker: BenchWorker,
  masksOf: (number: number) => Uint8Array,
  profiles: number,
  progress: (written: number) => void = () => {},
): Promise<number> {
  let seconds = 0;
  for (let from = 0; from < profiles; from += LINES) {
    progress(from);
    const below = Math.min(profiles, from + LINES);
    const body = linesOf(masksOf, from, below);
    const start = performance.now();
    const headers = { "content-type": "application/x-ndjson" };
    const response = await worker.request("POST", `/v1/tasks/${TASK}/import`, { body, headers });
    const text = await response.text();
    seconds += (performance.now() - start) / 1000;
    checkSummary(text, below - from);
  }
  return seconds;
}
