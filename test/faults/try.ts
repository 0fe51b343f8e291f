import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, type Load, tell } from "./faults.ts";
import { type Ground, isWhole, type Outcome, REQUESTS, type Right } from "./ground.ts";

/** Callers at a time of each kind of load. */
const CALLERS: Readonly<Record<Load, number>> = {
  profiles: 4,
  writes: 1,
  tokens: 1,
  keys: 1,
  "long texts": 1,
  learnings: 1,
  health: 1,
};

/** Longer than an answer may take once nothing is broken any more. */
const PATIENCE_MS = 30_000;

/** What was seen of a fault. */
export interface Finding {
  readonly fault: Fault;
  /** How often each kind of load came to what, while it was broken. */
  readonly seen: ReadonlyMap<Load, ReadonlyMap<Outcome, number>>;
  /** The longest that an answer took meanwhile, in milliseconds. */
  readonly slowestMs: number;
  /** Milliseconds after the mending until everything was right again; null if it did not come to that. */
  readonly wellAfterMs: number | null;
  /** Whether all writes are there that were acknowledged; null where nothing was written. */
  readonly whole: boolean | null;
}

/** Why a connection came to nothing. */
const reasonOf = (error: unknown): string => {
  const { cause = error } = error as { cause?: unknown };
  return cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
};

const outcomeOf = async (request: Promise<Outcome>): Promise<Outcome> =>
  await request.catch((error: unknown) => `no answer: ${reasonOf(error)}`);

/** Asks until it is told to stop. */
async function ask(ground: Ground, right: Right, loads: readonly Load[], ended: Promise<unknown>) {
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
      const outcome = await outcomeOf(REQUESTS[load](ground, right));
      slowestMs = Math.max(slowestMs, performance.now() - start);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(loads.flatMap((load) => Array.from({ length: CALLERS[load] }, () => caller(load))));
  return { seen, slowestMs };
}

/** Waits until one request of each kind is right, and again. */
async function untilWell(ground: Ground, right: Right, loads: readonly Load[]): Promise<number | null> {
  const start = performance.now();
  while (performance.now() - start < PATIENCE_MS) {
    const well = performance.now() - start;
    const outcomes = [];
    for (const load of [...loads, ...loads]) outcomes.push(await outcomeOf(REQUESTS[load](ground, right)));
    if (outcomes.every((outcome) => outcome === "ok")) return well;
    await sleep(50);
  }
  return null;
}

/**
 * Breaks something under load, mends it, and tells what was answered meanwhile and after.
 *
 * @param ground a Worker of its own where the fault is a cold one's: broken from its start
 */
export async function tryFault(fault: Fault, ground: Ground, right: Right, milliseconds: number): Promise<Finding> {
  const loads = Object.keys(fault.answers) as Load[];
  if (!fault.cold) await tell(ground.worker, fault.broken);
  await fault.database?.hurt(ground.worker.db);
  const seen = await ask(ground, right, loads, sleep(milliseconds));
  await tell(ground.worker, {});
  await fault.database?.mend(ground.worker.db);
  // An unacknowledged write may have been done: from here on it is known.
  const whole = loads.includes("writes") ? await settled(ground) : null;
  const wellAfterMs = fault.final ? null : await untilWell(ground, right, loads);
  return { fault, ...seen, wellAfterMs, whole };
}

async function settled(ground: Ground): Promise<boolean> {
  const start = performance.now();
  while (performance.now() - start < PATIENCE_MS) {
    const response = await ground.worker.get("/healthz");
    if (response.status === 200) return await isWhole(ground);
    await sleep(50);
  }
  return false;
}
