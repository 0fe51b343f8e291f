import { inRounds } from "../rounds.ts";

/** A call to measure. */
export type Candidate = () => unknown;

/** How long to measure. */
export interface Sampling {
  /** Samples of each candidate. */
  readonly rounds: number;
  /** Length of a sample. It has many calls, because workerd's clock ticks in whole milliseconds. */
  readonly sampleMs: number;
}

const WARM_UP_CALLS = 3;

async function timeCalls(candidate: Candidate, calls: number): Promise<number> {
  const start = performance.now();
  for (let call = 0; call < calls; call++) await candidate();
  return performance.now() - start;
}

/** Returns how many calls fill a sample. */
async function callsPerSample(candidate: Candidate, sampleMs: number): Promise<number> {
  for (let calls = 1; ; calls *= 2) {
    const elapsed = await timeCalls(candidate, calls);
    if (elapsed >= sampleMs / 2) return Math.max(1, Math.ceil((calls * sampleMs) / elapsed));
  }
}

/**
 * Measures candidates in rounds, so that a disturbance of the machine affects all of them.
 *
 * @returns milliseconds a call for each candidate, one number a round: the mean over the sample's calls
 */
export async function sampleInRounds<Name extends string>(
  candidates: Readonly<Record<Name, Candidate>>,
  { rounds, sampleMs }: Sampling,
): Promise<Record<Name, number[]>> {
  const sampled = [];
  for (const [name, candidate] of Object.entries<Candidate>(candidates)) {
    await timeCalls(candidate, WARM_UP_CALLS);
    sampled.push({ name, candidate, calls: await callsPerSample(candidate, sampleMs), times: [] as number[] });
  }
  for (const { item } of inRounds(sampled, rounds)) {
    item.times.push((await timeCalls(item.candidate, item.calls)) / item.calls);
  }
  return Object.fromEntries(sampled.map(({ name, times }) => [name, times])) as Record<Name, number[]>;
}
