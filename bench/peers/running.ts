import type { BenchWorker } from "../isolate.ts";
import type { Ground } from "./ground.ts";
import { type Peer, PeerMissing } from "./peer.ts";
import { OTHERS, workerPeer } from "./peers.ts";

/** The Worker, the peers that could be started, and of the others why not. */
export interface Running {
  readonly worker: Peer;
  readonly others: readonly Peer[];
  readonly missing: readonly string[];
}

/** Starts all peers at once, as each waits more than it computes, and stops them when all is done. */
export async function withPeers<Result>(
  running: BenchWorker,
  ground: Ground,
  use: (peers: Running) => Promise<Result>,
): Promise<Result> {
  const names = Object.keys(OTHERS);
  const starts = await Promise.allSettled(Object.values(OTHERS).map((start) => start(ground)));
  const others = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  try {
    const missing = starts.flatMap((start, place) => {
      if (start.status === "fulfilled") return [];
      if (start.reason instanceof PeerMissing) return [`${names[place]}: ${start.reason.message}`];
      throw start.reason;
    });
    return await use({ worker: await workerPeer(running, ground), others, missing });
  } finally {
    for (const peer of others) await peer.close();
  }
}
