import type { Bench, Figure, Line } from "../bench.ts";
import { withWorker } from "../isolate.ts";
import { makeGround } from "../peers/ground.ts";
import { latency, throughput } from "../peers/measure.ts";
import type { Peer } from "../peers/peer.ts";
import { type Point, plotOf } from "../peers/plot.ts";
import { withPeers } from "../peers/running.ts";
import { MEGABYTE, ratioOf, rounded, spreadOf } from "../statistics.ts";

const TOKENS = [8, 32, 128];
const TOLD = 32;

const FULL = {
  counts: [1, 100, 10_000],
  latency: { turns: 11, requests: 6 },
  throughput: { turns: 4, requests: 50, leadIn: 100 },
};
const QUICK = {
  counts: [1, 10, 50],
  latency: { turns: 2, requests: 2 },
  throughput: { turns: 2, requests: 4, leadIn: 1 },
};

export const peers: Bench = {
  name: "peers",
  about: "the same task through native ONNX Runtime, transformers.js and a LoRA server, beside the Worker",
  async run({ quick, progress }) {
    const effort = quick ? QUICK : FULL;
    const most = Math.max(...effort.counts);
    const figures: Record<string, Figure> = {};
    const table: Line[] = [];
    const points: Point[] = [];
    const skipped: string[] = [];

    async function measure(peer: Peer, worker: Peer, profiles: readonly string[]): Promise<void> {
      const line: Record<string, string | number> = { peer: peer.name };
      for (const tokens of TOKENS) {
        if (peer === worker) {
          Object.assign(line, { [`${tokens} tokens`]: 1, [`${tokens} p95`]: 1 });
          continue;
        }
        const ratio = await latency(peer, worker, { ...effort.latency, tokens, profile: profiles[0] ?? "" });
        if (tokens === TOLD) figures[`peers_${peer.name}_${tokens}`] = { value: ratio.median, unit: "x" };
        line[`${tokens} tokens`] = ratio.median;
        line[`${tokens} p95`] = ratio.p95;
      }
      const counts = peer.manyProfiles ? effort.counts : [1];
      const rates = await throughput(peer, profiles, { ...effort.throughput, counts, tokens: TOLD });
      const alone = rates.get(1) ?? [];
      line["requests/s, 1 profile"] = spreadOf(alone).median;
      for (const [count, found] of rates) {
        const ratio = ratioOf(found, alone).median;
        points.push({ peer: peer.name, profiles: count, throughput: ratio });
        if (count > 1) line[`${count} / 1`] = ratio;
        if (count === most) figures[`peers_${peer.name}_many`] = { value: ratio, unit: "x" };
      }
      const megabytes = (await peer.residentBytes()) / MEGABYTE;
      figures[`peers_${peer.name}_mb`] = { value: megabytes, unit: "MB" };
      table.push({ ...line, MB: megabytes, "bytes a profile": peer.bytesPerProfile });
      if (!peer.manyProfiles) {
        const gigabytes = rounded((peer.bytesPerProfile * most) / 1e9);
        skipped.push(`${peer.name} with ${most} profiles: it takes one model a profile, ${gigabytes} GB for all.`);
      }
    }

    const ground = await makeGround(most);
    try {
      await withWorker((running) =>
        withPeers(running, ground, async ({ worker, others, missing }) => {
          skipped.push(...missing);
          const profiles = ground.profiles.map(({ id }) => id);
          for (const [done, peer] of [worker, ...others].entries()) {
            progress(done, others.length + 1, peer.name);
            await measure(peer, worker, profiles);
          }
        }),
      );
    } finally {
      await ground.close();
    }
    return { figures, table, plots: { peers: plotOf(points) }, skipped };
  },
};
