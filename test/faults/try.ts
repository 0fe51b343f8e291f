import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, type Load, setBroken } from "./faults.ts";
import { type CorrectAnswers, type Outcome, REQUESTS, type Target, writesAreStored } from "./target.ts";

/** Concurrent callers of each kind of load. */
const CALLERS: Readonly<Record<Load, number>> = {
  profiles: 4,
  writes: 1,
  tokens: 1,
  keys: 1,
  "long texts": 1,
  learnings: 1,
  health: 1,
};

/** The longest allowed recovery after repair. */
const PATIENCE_MS = 120_000;

/** The observed effect of a fault. */
export interface Finding {
  readonly fault: Fault;
  /** The number of each outcome by load, during the fault. */
  readonly seen: ReadonlyMap<Load, ReadonlyMap<Outcome, number>>;
  /** The longest response time during the fault, in milliseconds. */
  readonly slowestMs: number;
  /** Milliseconds from repair to correct answers for every load; null without recovery. */
  readonly recoveredAfterMs: number | null;
  /** Whether all acknowledged writes are stored; null without writes. */
  readonly writesStored: boolean | null;
}

/** Returns why a connection failed. */
const reasonOf = (error: unknown): string => {
  const { cause = error } = error as { cause?: unknown };
  return cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
};

const outcomeOf = async (request: Promise<Outcome>): Promise<Outcome> =>
  await request.catch((error: unknown) => `no answer: ${reasonOf(error)}`);

/** Sends requests until `ended` resolves. */
async function runLoad(target: Target, correct: CorrectAnswers, loads: readonly Load[], ended: Promise<unknown>) {
  const seen = new Map<Load, Map<Outcome, number>>();
  let stop = false;
  let slowestMs = 0;
  ended.then(() => {
    stop = true;
  });
  const caller = async (load: Load) => {
    const counts = seen.get(load) ?? new Map<Outcome, number>();
    seen.set(load, counts);
    while (!stop) {
      const start = performance.now();
      const outcome = await outcomeOf(REQUESTS[load](target, correct));
      slowestMs = Math.max(slowestMs, performance.now() - start);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(loads.flatMap((load) => Array.from({ length: CALLERS[load] }, () => caller(load))));
  return { seen, slowestMs };
}

/** Waits until two rounds of one request of each kind are correct. */
async function waitForRecovery(
  target: Target,
  correct: CorrectAnswers,
  loads: readonly Load[],
): Promise<number | null> {
  const start = performance.now();
  while (performance.now() - start < PATIENCE_MS) {
    const well = performance.now() - start;
    const outcomes = [];
    for (const load of [...loads, ...loads]) outcomes.push(await outcomeOf(REQUESTS[load](target, correct)));
    if (outcomes.every((outcome) => outcome === "ok")) return well;
    await sleep(50);
  }
  return null;
}

/**
 * Breaks a dependency under load, repairs it, and returns the outcomes during and after the fault.
 *
 * @param target for a cold fault, a separate Worker that starts broken
 */
export async function tryFault(
  fault: Fault,
  target: Target,
  correct: CorrectAnswers,
  milliseconds: number,
): Promise<Finding> {
  const loads = Object.keys(fault.answers) as Load[];
  if (!fault.cold) await setBroken(target.worker, fault.broken);
  await fault.database?.damage(target.worker.db);
  const seen = await runLoad(target, correct, loads, sleep(milliseconds));
  await setBroken(target.worker, {});
  await fault.database?.repair(target.worker.db);
  // An unacknowledged write may be stored; this read settles which generation is current.
  const writesStored = loads.includes("writes") ? await checkWrites(target) : null;
  const recoveredAfterMs = fault.final ? null : await waitForRecovery(target, correct, loads);
  return { fault, ...seen, recoveredAfterMs, writesStored };
}

async function checkWrites(target: Target): Promise<boolean> {
  const start = performance.now();
  while (performance.now() - start < PATIENCE_MS) {
    const response = await target.worker.get("/healthz");
    if (response.status === 200) return await writesAreStored(target);
    await sleep(50);
  }
  return false;
}
