/** Something to be measured. */
export type Candidate = () => Promise<unknown>;

/** How long to measure for. */
export interface Patience {
  /** Turns that each candidate gets. */
  readonly rounds: number;
  /** The least time of a turn: workerd's clock ticks in whole milliseconds. */
  readonly turnMs: number;
}

const WARM_UP_CALLS = 3;

async function timeCalls(candidate: Candidate, calls: number): Promise<number> {
  const start = performance.now();
  for (let call = 0; call < calls; call++) await candidate();
  return performance.now() - start;
}

/** Calls that fill a turn. */
async function callsPerTurn(candidate: Candidate, turnMs: number): Promise<number> {
  for (let calls = 1; ; calls *= 2) {
    const took = await timeCalls(candidate, calls);
    if (took >= turnMs / 2) return Math.max(1, Math.ceil((calls * turnMs) / took));
  }
}

/**
 * Measures candidates in turns, so that what disturbs the machine disturbs all of them.
 *
 * @returns for each candidate the milliseconds of a call, one number a turn: the mean over the turn's calls
 */
export async function inTurns<Name extends string>(
  candidates: Readonly<Record<Name, Candidate>>,
  { rounds, turnMs }: Patience,
): Promise<Record<Name, number[]>> {
  const all = Object.entries<Candidate>(candidates);
  const calls = new Map<string, number>();
  for (const [name, candidate] of all) {
    await timeCalls(candidate, WARM_UP_CALLS);
    calls.set(name, await callsPerTurn(candidate, turnMs));
  }
  const times = Object.fromEntries(all.map(([name]) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    // Turned round each time: none always follows the same one.
    for (const [name, candidate] of round % 2 === 0 ? all : all.toReversed()) {
      const count = calls.get(name) ?? 1;
      times[name]?.push((await timeCalls(candidate, count)) / count);
    }
  }
  return times as Record<Name, number[]>;
}
