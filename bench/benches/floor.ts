import { readBundle } from "../../node/files.ts";
import type { Bench } from "../bench.ts";
import { BUNDLE, ENCODER } from "../graphs.ts";
import { medianOf } from "../statistics.ts";
import { withWorker } from "../with-worker.ts";
import { compareByLength } from "./by-length.ts";

export const floor: Bench = {
  name: "floor",
  description: "an encoder run / its int8 products alone with relaxed SIMD",
  async run({ quick, progress }) {
    const sampling = quick ? { rounds: 3, sampleMs: 20 } : { rounds: 41, sampleMs: 150 };
    const { layers, hidden } = (await readBundle(BUNDLE)).manifest;
    // Query, key and value; attention output; feed-forward up and down.
    const products = [
      [hidden, 3 * hidden],
      [hidden, hidden],
      [hidden, 4 * hidden],
      [4 * hidden, hidden],
    ] as const;
    const operations = 2 * layers * products.reduce((sum, [rows, columns]) => sum + rows * columns, 0);
    return await withWorker((worker) =>
      compareByLength(
        {
          figure: "floor",
          goals: { 8: 2, 32: 1.2, 128: null },
          measure: (tokens) => worker.measure("floor", { graph: ENCODER, tokens, layers, products, ...sampling }),
          sides: ({ encoder, floor }) => [encoder, floor],
          columns: (times, tokens) => ({
            "encoder ms": medianOf(times.encoder),
            "floor ms": medianOf(times.floor),
            "floor GOP/s": (operations * tokens) / medianOf(times.floor) / 1e6,
          }),
        },
        progress,
      ),
    );
  },
};
