import { readBundle } from "../../cli/files.ts";
import { profilesOf, taskFor } from "../../test/support/rows.ts";
import type { Bench } from "../bench.ts";
import { PLAIN } from "../graphs.ts";
import { withWorker } from "../isolate.ts";
import { ratioOf, spreadOf } from "../statistics.ts";
import { textOf } from "../texts.ts";

const TOKENS = [8, 32, 128];
/** At 32 tokens; the others only inform. */
const GOAL = { 32: 1.15 } as Record<number, number>;

export const overhead: Bench = {
  name: "overhead",
  about: "a warm prediction through the Worker, over a bare run of the plain PLM",
  async run({ quick, progress }) {
    const patience = quick ? { rounds: 3, turnMs: 20 } : { rounds: 41, turnMs: 200 };
    return await withWorker(async (worker) => {
      const profiles = profilesOf(1);
      const task = taskFor(await readBundle("bundles/minilm-l6-v2"), { maxTokens: 512 });
      await worker.push(task, profiles);
      const figures: Record<string, { value: number; unit: string; goal?: { most: number } }> = {};
      const table = [];
      for (const [done, tokens] of TOKENS.entries()) {
        progress(done, TOKENS.length, `${tokens} tokens`);
        const body = JSON.stringify({ task: task.name, profile: profiles[0]?.id, inputs: textOf(tokens) });
        const found = (await worker.measure("overhead", { graph: PLAIN, bodies: { [tokens]: body }, ...patience }))[
          tokens
        ];
        if (!found) throw new Error(`Nothing was measured for ${tokens} tokens.`);
        const ratio = ratioOf(found.worker, found.plain);
        const [ours, plain] = [spreadOf(found.worker), spreadOf(found.plain)];
        const most = GOAL[tokens];
        figures[`overhead_${tokens}`] = { value: ratio.median, unit: "x", ...(most && { goal: { most } }) };
        table.push({
          tokens,
          "worker ms": ours.median,
          "plain ms": plain.median,
          ratio: ratio.median,
          "ratio p95": ratio.p95,
        });
      }
      return { figures, table };
    });
  },
};
