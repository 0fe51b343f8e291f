import { readBundle } from "../../node/files.ts";
import type { Bench, Row } from "../bench.ts";
import { openTimedTrunk } from "../engines/by-kernel.ts";
import { BUNDLE } from "../graphs.ts";
import { medianOf } from "../statistics.ts";

export const kernels: Bench = {
  name: "kernels",
  description: "the time of each kernel of the encoder, in Node: milliseconds, and operations a second",
  async run({ quick, progress }) {
    const { layers, hidden } = (await readBundle(BUNDLE)).manifest;
    const lengths = quick ? [8] : [8, 32, 128, 512];
    const milliseconds = 1500;
    /** Multiplications and additions of a text: of the four products of a block; of queries and keys, shares and values. */
    const operations: Readonly<Record<string, (tokens: number) => number>> = {
      multiply: (tokens) => 2 * layers * tokens * 12 * hidden * hidden,
      attend: (tokens) => 2 * layers * tokens * tokens * 2 * hidden,
    };
    const trunk = await openTimedTrunk();
    const table: Row[] = [];
    for (const [done, tokens] of lengths.entries()) {
      progress(done, lengths.length, `${tokens} tokens`);
      const { whole: first } = await trunk.time(tokens);
      const rounds = quick ? 2 : Math.max(15, Math.ceil(milliseconds / first));
      const samples = [];
      for (let round = 0; round < rounds; round++) samples.push(await trunk.time(tokens));
      const whole = medianOf(samples.map((sample) => sample.whole));
      for (const name of Object.keys(samples[0]?.kernels ?? {})) {
        const time = medianOf(samples.map((sample) => sample.kernels[name] ?? Number.NaN));
        const gigaOperations = (operations[name]?.(tokens) ?? Number.NaN) / time / 1e6;
        table.push({
          tokens,
          kernel: name,
          ms: time,
          "share of the whole": time / whole,
          ...(Number.isFinite(gigaOperations) && { "GOP/s": gigaOperations }),
        });
      }
      table.push({ tokens, kernel: "all", ms: whole, "share of the whole": 1 });
    }
    return { figures: {}, table };
  },
};
