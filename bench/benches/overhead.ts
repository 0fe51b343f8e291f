import { readBundle } from "../../node/files.ts";
import { profilesOf, taskFor } from "../../test/support/rows.ts";
import type { Bench, Figure, Line } from "../bench.ts";
import { BUNDLE, PLAIN } from "../graphs.ts";
import { ROWS_KEPT, withWorker } from "../isolate.ts";
import { ratioOf, spreadOf } from "../statistics.ts";
import { textOf } from "../texts.ts";

const GOALS = new Map([
  [8, undefined],
  [32, 1.15],
  [128, undefined],
]);

export const overhead: Bench = {
  name: "overhead",
  about: "a warm prediction through the Worker, over a bare run of the plain PLM",
  async run({ quick, progress }) {
    const patience = quick ? { rounds: 3, turnMs: 20 } : { rounds: 31, turnMs: 150 };
    const figures: Record<string, Figure> = {};
    const table: Line[] = [];
    await withWorker(async (worker) => {
      const profiles = profilesOf(1);
      const task = taskFor(await readBundle(BUNDLE), { maxTokens: 512 });
      const profile = profiles[0]?.id ?? "";
      await worker.push(task, profiles);
      for (const [done, [tokens, most]] of [...GOALS].entries()) {
        progress(done, GOALS.size, `${tokens} tokens`);
        const params = { graph: PLAIN, task: task.name, profile, text: textOf(tokens), tokens, ...patience };
        const found = await worker.measure("overhead", params);
        const ratio = ratioOf(found.worker, found.plain);
        figures[`overhead_${tokens}`] = { value: ratio.median, unit: "x", ...(most && { goal: { most } }) };
        table.push({
          tokens,
          "worker ms": spreadOf(found.worker).median,
          "no limiter ms": spreadOf(found.unlimited).median,
          "nor log ms": spreadOf(found.quiet).median,
          "predictor ms": spreadOf(found.predictor).median,
          "plain ms": spreadOf(found.plain).median,
          ratio: ratio.median,
          "ratio p95": ratio.p95,
          "ratio, no limiter nor log": ratioOf(found.quiet, found.plain).median,
        });
      }
    }, ROWS_KEPT);
    return { figures, table };
  },
};
