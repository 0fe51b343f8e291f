import { resolve } from "node:path";
import type { Bench } from "../bench.ts";
import { dataFile, prepareVariants, TASKS } from "../variants/files.ts";
import { figuresOf, type Times, tableOf } from "../variants/table.ts";
import { withWorker } from "../with-worker.ts";

/** Folder of the data sets, which are not part of the project. */
const DATA = process.env.XPEFT_DATA ?? null;

const FULL = {
  folder: ".cache/bench/variants",
  only: [],
  data: DATA,
  lengths: [8, 32, 128],
  rounds: 41,
  sampleMs: 150,
};
const QUICK = {
  folder: ".cache/bench/variants-quick",
  only: ["fp32"],
  data: null,
  lengths: [32],
  rounds: 3,
  sampleMs: 20,
};

export const variants: Bench = {
  name: "variants",
  description: "variants of the encoder's graph / the shipped int8 one, and their agreement with fp32",
  async run({ quick, progress }) {
    const { folder, only, data, lengths, ...sampling } = quick ? QUICK : FULL;
    const steps = lengths.length + 1;
    progress(0, steps, "writing graphs");
    const files = await prepareVariants(folder, { only, data });
    const times: Times = await withWorker(
      async (worker) => {
        const measured = new Map<number, Record<string, number[]>>();
        for (const [done, tokens] of lengths.entries()) {
          progress(done + 1, steps, `${tokens} tokens`);
          const runs = Object.fromEntries(
            files.variants.map(({ name, graph, weights }) => [name, { graph: { graph, weights }, tokens }]),
          );
          measured.set(tokens, await worker.measure("runs", { runs, ...sampling }));
        }
        return measured;
      },
      { folders: [folder] },
    );
    const skipped = TASKS.filter((task) => !files.agreement[task]).map((task) => {
      if (quick) return `agreement with fp32 on ${task}: not in a quick run.`;
      const reason = data === null ? "no data sets" : `${resolve(dataFile(data, task))} does not exist`;
      return `agreement with fp32 on ${task}: ${reason}. Set XPEFT_DATA to the folder of the data sets.`;
    });
    return { figures: figuresOf(files, times), table: tableOf(files, times), skipped };
  },
};
