import type { Bench } from "../bench.ts";
import { medianOf, pairedRatio } from "../statistics.ts";
import { CACHED_ROWS, pushDemo, withWorker } from "../with-worker.ts";
import { compareByLength } from "./by-length.ts";

export const overhead: Bench = {
  name: "overhead",
  description: "a warm prediction through the Worker / a run of the trunk alone",
  async run({ quick, progress }) {
    const sampling = quick ? { rounds: 3, sampleMs: 20 } : { rounds: 31, sampleMs: 150 };
    return await withWorker(async (worker) => {
      const { task, profiles } = await pushDemo(worker, 1, { maxTokens: 512 });
      const params = { task: task.name, profile: profiles[0]?.id ?? "", ...sampling };
      return await compareByLength(
        {
          lengths: [8, 32, 128],
          measure: (tokens) => worker.measure("overhead", { ...params, tokens }),
          ratios: { overhead: { goals: { 32: 1.15 }, sides: ({ worker, trunk }) => [worker, trunk] } },
          columns: (times) => ({
            "worker ms": medianOf(times.worker),
            "no limiter ms": medianOf(times.unlimited),
            "nor log ms": medianOf(times.unlogged),
            "predictor ms": medianOf(times.predictor),
            "trunk ms": medianOf(times.trunk),
            "ratio, no limiter nor log": pairedRatio(times.unlogged, times.trunk).median,
          }),
        },
        progress,
      );
    }, CACHED_ROWS);
  },
};
