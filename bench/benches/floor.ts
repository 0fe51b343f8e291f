import { readBundle } from "../../node/files.ts";
import type { Bench, Figure, Line } from "../bench.ts";
import { BUNDLE, ENCODER } from "../graphs.ts";
import { withWorker } from "../isolate.ts";
import { ratioOf, spreadOf } from "../statistics.ts";

const GOALS = new Map([
  [8, 2],
  [32, 1.2],
  [128, undefined],
]);

export const floor: Bench = {
  name: "floor",
  about: "an encoder run, over its int8 products alone by relaxed SIMD",
  async run({ quick, progress }) {
    const patience = quick ? { rounds: 3, turnMs: 20 } : { rounds: 41, turnMs: 150 };
    const { manifest } = await readBundle(BUNDLE);
    const { layers, hidden } = manifest;
    // Query, key and value; the attention's output; the feed-forward layer, up and down.
    const products = [
      [hidden, 3 * hidden],
      [hidden, hidden],
      [hidden, 4 * hidden],
      [4 * hidden, hidden],
    ] as const;
    const operations = 2 * layers * products.reduce((sum, [rows, columns]) => sum + rows * columns, 0);
    const figures: Record<string, Figure> = {};
    const table: Line[] = [];
    await withWorker(async (worker) => {
      for (const [done, [tokens, most]] of [...GOALS].entries()) {
        progress(done, GOALS.size, `${tokens} tokens`);
        const found = await worker.measure("floor", { graph: ENCODER, tokens, layers, products, ...patience });
        const ratio = ratioOf(found.encoder, found.floor);
        const [encoder, alone] = [spreadOf(found.encoder).median, spreadOf(found.floor).median];
        figures[`floor_${tokens}`] = { value: ratio.median, unit: "x", ...(most && { goal: { most } }) };
        table.push({
          tokens,
          "encoder ms": encoder,
          "floor ms": alone,
          "floor GOP/s": (operations * tokens) / alone / 1e6,
          ratio: ratio.median,
          "ratio p95": ratio.p95,
        });
      }
    });
    return { figures, table };
  },
};
