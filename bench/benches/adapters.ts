import type { Bench, Figure, Line } from "../bench.ts";
import { ENCODER, PLAIN } from "../graphs.ts";
import { withWorker } from "../isolate.ts";
import { ratioOf, spreadOf } from "../statistics.ts";

const GOALS = new Map([
  [8, undefined],
  [32, 1.05],
  [128, undefined],
]);

export const adapters: Bench = {
  name: "adapters",
  about: "the encoder with adapters, over the same without",
  async run({ quick, progress }) {
    const patience = quick ? { rounds: 3, turnMs: 20 } : { rounds: 61, turnMs: 150 };
    const figures: Record<string, Figure> = {};
    const table: Line[] = [];
    await withWorker(async (worker) => {
      for (const [done, [tokens, most]] of [...GOALS].entries()) {
        progress(done, GOALS.size, `${tokens} tokens`);
        const { encoder = [], plain = [] } = await worker.measure("runs", {
          graphs: { encoder: ENCODER, plain: PLAIN },
          tokens,
          ...patience,
        });
        const ratio = ratioOf(encoder, plain);
        figures[`adapters_${tokens}`] = { value: ratio.median, unit: "x", ...(most && { goal: { most } }) };
        table.push({
          tokens,
          "with ms": spreadOf(encoder).median,
          "without ms": spreadOf(plain).median,
          ratio: ratio.median,
          "ratio p95": ratio.p95,
        });
      }
    });
    return { figures, table };
  },
};
