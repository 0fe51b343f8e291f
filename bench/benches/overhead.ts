import type { Bench } from "../bench.ts";
import { PLAIN } from "../graphs.ts";
import { medianOf, pairedRatio } from "../statistics.ts";
import { CACHED_ROWS, pushDemo, withWorker } from "../with-worker.ts";
import { compareByLength } from "./by-length.ts";

export const overhead: Bench = {
  name: "overhead",
  description: "a warm prediction through the Worker / a run of the plain PLM",
  async run({ quick, progress }) {
    const sampling = quick ? { rounds: 3, sampleMs: 20 } : { rounds: 31, sampleMs: 150 };
    return await withWorker(async (worker) => {
      const { task, profiles } = await pushDemo(worker, 1, { maxTokens: 512 });
      const params = { graph: PLAIN, task: task.name, profile: profiles[0]?.id ?? "", ...sampling };
      return await compareByLength(
        {
          figure: "overhead",
          goals: { 8: null, 32: 1.15, 128: null },
          measure: (tokens) => worker.measure("overhead", { ...params, tokens }),
          sides: ({ worker, plain }) => [worker, plain],
          columns: (times) => ({
            "worker ms": medianOf(times.worker),
            "no limiter ms": medianOf(times.unlimited),
            "nor log ms": medianOf(times.unlogged),
            "predictor ms": medianOf(times.predictor),
            "plain ms": medianOf(times.plain),
            "ratio, no limiter nor log": pairedRatio(times.unlogged, times.plain).median,
          }),
        },
        progress,
      );
    }, CACHED_ROWS);
  },
};
