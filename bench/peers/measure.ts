import { median } from "d3-array";
import { ratioOf, spreadOf } from "../statistics.ts";
import { textOf } from "../texts.ts";
import type { Peer } from "./peer.ts";

/** How much is asked. */
export interface Effort {
  /** Turns of each side. */
  readonly turns: number;
  /** Requests of a turn; before the first turn as many warm up. */
  readonly requests: number;
}

async function times(peer: Peer, text: string, pick: () => string, requests: number): Promise<number[]> {
  const found = [];
  for (let request = 0; request < requests; request++) {
    const profile = pick();
    const start = performance.now();
    await peer.ask(profile, text);
    found.push(performance.now() - start);
  }
  return found;
}

/** A peer's latency over the Worker's. */
export interface Latency {
  /** Median over turns of the ratio of the turns' medians. */
  readonly median: number;
  /** Ratio of the 95th percentiles of all requests. */
  readonly p95: number;
}

/** Asks a peer and the Worker for the same warm text under the same profile, in turns. */
export async function latency(
  peer: Peer,
  worker: Peer,
  { tokens, profile, turns, requests }: Effort & { tokens: number; profile: string },
): Promise<Latency> {
  const text = textOf(tokens);
  const pick = () => profile;
  const found = { peer: [] as number[][], worker: [] as number[][] };
  for (const side of [peer, worker]) {
    const read = (await side.ask(profile, text)).tokens;
    if (read !== tokens) throw new Error(`${side.name} read ${read} tokens, not ${tokens}.`);
    await times(side, text, pick, requests);
  }
  for (let turn = 0; turn < turns; turn++) {
    const sides = ["peer", "worker"] as const;
    // Turned round each time: none always follows the other.
    for (const side of turn % 2 === 0 ? sides : sides.toReversed()) {
      found[side].push(await times(side === "peer" ? peer : worker, text, pick, requests));
    }
  }
  const medians = (turns: number[][]) => turns.map((turn) => median(turn) ?? Number.NaN);
  return {
    median: ratioOf(medians(found.peer), medians(found.worker)).median,
    p95: spreadOf(found.peer.flat()).p95 / spreadOf(found.worker.flat()).p95,
  };
}

/**
 * Requests a second with so many profiles drawn uniformly, one request at a time.
 *
 * @param counts how many of the profiles are drawn from; each gets as many turns, in turn
 * @param leadIn requests before each turn that are not timed, so that what is kept is of that turn's profiles
 * @returns by count, one number a turn
 */
export async function throughput(
  peer: Peer,
  profiles: readonly string[],
  { counts, tokens, turns, requests, leadIn }: Effort & { counts: readonly number[]; tokens: number; leadIn: number },
): Promise<Map<number, number[]>> {
  const text = textOf(tokens);
  const found = new Map<number, number[]>(counts.map((count) => [count, []]));
  for (let turn = 0; turn < turns; turn++) {
    for (const count of turn % 2 === 0 ? counts : counts.toReversed()) {
      const pick = () => profiles[Math.floor(Math.random() * count)] ?? "";
      // One profile is in memory after one request.
      await times(peer, text, pick, count === 1 ? 1 : leadIn);
      const took = (await times(peer, text, pick, requests)).reduce((sum, time) => sum + time, 0);
      found.get(count)?.push((1000 * requests) / took);
    }
  }
  return found;
}
