import type { Bench } from "../bench.ts";
import { ENCODER, PLAIN } from "../graphs.ts";
import { medianOf } from "../statistics.ts";
import { withWorker } from "../with-worker.ts";
import { compareByLength } from "./by-length.ts";

export const adapters: Bench = {
  name: "adapters",
  description: "the encoder with adapters / the same encoder without",
  async run({ quick, progress }) {
    const sampling = quick ? { rounds: 3, sampleMs: 20 } : { rounds: 61, sampleMs: 150 };
    return await withWorker((worker) =>
      compareByLength(
        {
          lengths: [8, 32, 128],
          measure: (tokens) => {
            const runs = { encoder: { graph: ENCODER, tokens }, plain: { graph: PLAIN, tokens } };
            return worker.measure("runs", { runs, ...sampling });
          },
          ratios: { adapters: { goals: { 32: 1.05 }, sides: ({ encoder = [], plain = [] }) => [encoder, plain] } },
          columns: ({ encoder = [], plain = [] }) => ({
            "with ms": medianOf(encoder),
            "without ms": medianOf(plain),
          }),
        },
        progress,
      ),
    );
  },
};
