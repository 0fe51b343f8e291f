import type { Bench, Figure, Row } from "../bench.ts";
import { latencyRatio, throughputByCount } from "../peers/measure.ts";
import type { Peer } from "../peers/peer.ts";
import { startWorkerPeer, withPeers } from "../peers/peers.ts";
import { createWorkload } from "../peers/workload.ts";
import { linePlot } from "../plots.ts";
import { MEGABYTE, medianOf, pairedRatio, rounded } from "../statistics.ts";
import { withWorker } from "../with-worker.ts";

const TOKENS = [8, 32, 128];
/** The length whose figures are reported. */
const REPORTED = 32;

const FULL = {
  counts: [1, 100, 10_000],
  latency: { rounds: 11, requests: 6 },
  throughput: { rounds: 4, requests: 50, warmUp: 100 },
};
const QUICK = {
  counts: [1, 10, 50],
  latency: { rounds: 2, requests: 2 },
  throughput: { rounds: 2, requests: 4, warmUp: 1 },
};

export const peers: Bench = {
  name: "peers",
  description: "the same task by native ONNX Runtime, transformers.js and a LoRA server / the Worker",
  async run({ quick, progress }) {
    const load = quick ? QUICK : FULL;
    const most = Math.max(...load.counts);
    const figures: Record<string, Figure> = {};
    const table: Row[] = [];
    const points: Row[] = [];
    const skipped: string[] = [];

    async function measure(peer: Peer, worker: Peer, profiles: readonly string[]): Promise<void> {
      const { name, bytesPerProfile, manyProfiles } = peer;
      const row: Record<string, string | number> = { peer: name };
      for (const tokens of TOKENS) {
        const ratio =
          peer === worker
            ? { median: 1, p95: 1 }
            : await latencyRatio(peer, worker, { ...load.latency, tokens, profile: profiles[0] ?? "" });
        if (peer !== worker && tokens === REPORTED)
          figures[`peers_${name}_${tokens}`] = { value: ratio.median, unit: "x" };
        row[`${tokens} tokens`] = ratio.median;
        row[`${tokens} p95`] = ratio.p95;
      }
      const counts = manyProfiles ? load.counts : [1];
      const rates = await throughputByCount(peer, profiles, { ...load.throughput, counts, tokens: REPORTED });
      const single = rates.get(1) ?? [];
      row["requests/s, 1 profile"] = medianOf(single);
      for (const [count, rate] of rates) {
        const ratio = pairedRatio(rate, single).median;
        points.push({ peer: name, profiles: count, throughput: ratio });
        if (count > 1) row[`${count} / 1`] = ratio;
        if (count === most) figures[`peers_${name}_many`] = { value: ratio, unit: "x" };
      }
      const megabytes = (await peer.residentBytes()) / MEGABYTE;
      figures[`peers_${name}_mb`] = { value: megabytes, unit: "MB" };
      table.push({ ...row, MB: megabytes, "bytes a profile": bytesPerProfile });
      if (!manyProfiles) {
        const gigabytes = rounded((bytesPerProfile * most) / 1e9);
        skipped.push(`${name} with ${most} profiles: it needs one model a profile, ${gigabytes} GB in all.`);
      }
    }

    const workload = await createWorkload(most);
    try {
      await withWorker((running) =>
        withPeers(workload, async ({ peers, missing }) => {
          skipped.push(...missing);
          const worker = await startWorkerPeer(running, workload);
          const profiles = workload.profiles.map(({ id }) => id);
          for (const [done, peer] of [worker, ...peers].entries()) {
            progress(done, peers.length + 1, peer.name);
            await measure(peer, worker, profiles);
          }
        }),
      );
    } finally {
      await workload.close();
    }
    const plot = linePlot(
      "Throughput with profiles drawn uniformly, over that with one",
      points,
      { field: "profiles", scale: { type: "log" } },
      { field: "throughput", title: "throughput / own with 1 profile", scale: { domainMin: 0 } },
      "peer",
    );
    return { figures, table, plots: { peers: plot }, skipped };
  },
};
