import { createDraw } from "../random.ts";
import { inRounds } from "../rounds.ts";
import { medianOf, pairedRatio, type Quantiles, quantilesOf } from "../statistics.ts";
import { newText } from "../texts.ts";
import type { Peer } from "./peer.ts";

/** How much to measure. */
export interface Load {
  readonly rounds: number;
  /** Requests of each side in a round; the same number warms up. */
  readonly requests: number;
}

/** Returns milliseconds of requests, sent one after the other. `profile` returns the profile of each. */
async function timeRequests(peer: Peer, tokens: number, profile: () => string, requests: number): Promise<number[]> {
  const times = [];
  for (let request = 0; request < requests; request++) {
    const [id, text] = [profile(), newText(tokens)];
    const start = performance.now();
    await peer.predict(id, text);
    times.push(performance.now() - start);
  }
  return times;
}

/**
 * Measures a peer's latency over the Worker's for new texts under the same warm profile.
 *
 * @returns the median over rounds of the ratio of their medians, and the ratio of the 95th percentiles of all requests
 */
export async function latencyRatio(
  peer: Peer,
  worker: Peer,
  { tokens, profile, rounds, requests }: Load & { tokens: number; profile: string },
): Promise<Quantiles> {
  const sides = [peer, worker].map((side) => ({ side, rounds: [] as number[][] }));
  for (const { side } of sides) {
    const read = (await side.predict(profile, newText(tokens))).tokens;
    if (read !== tokens) throw new Error(`${side.name} read ${read} tokens. Expected ${tokens}.`);
    await timeRequests(side, tokens, () => profile, requests);
  }
  for (const { item } of inRounds(sides, rounds)) {
    item.rounds.push(await timeRequests(item.side, tokens, () => profile, requests));
  }
  const [peerTimes = [], workerTimes = []] = sides.map(({ rounds }) => rounds);
  return {
    median: pairedRatio(peerTimes.map(medianOf), workerTimes.map(medianOf)).median,
    p95: quantilesOf(peerTimes.flat()).p95 / quantilesOf(workerTimes.flat()).p95,
  };
}

/**
 * Measures requests a second with uniformly drawn profiles, one request at a time.
 *
 * @param counts numbers of profiles to draw from
 * @param warmUp requests before each round that are not timed, so that caches have profiles of that round
 * @returns one number a round, by count
 */
export async function throughputByCount(
  peer: Peer,
  profiles: readonly string[],
  { counts, tokens, rounds, requests, warmUp }: Load & { counts: readonly number[]; tokens: number; warmUp: number },
): Promise<Map<number, number[]>> {
  const rates = new Map<number, number[]>(counts.map((count) => [count, []]));
  for (const { round, item: count } of inRounds(counts, rounds)) {
    const draw = createDraw(round * (profiles.length + 1) + count, count);
    const profile = () => profiles[draw()] ?? "";
    // A single profile is in memory after one request.
    await timeRequests(peer, tokens, profile, count === 1 ? 1 : warmUp);
    const milliseconds = (await timeRequests(peer, tokens, profile, requests)).reduce((sum, time) => sum + time, 0);
    rates.get(count)?.push((1000 * requests) / milliseconds);
  }
  return rates;
}
