import { resolve } from "node:path";
import type { Bench } from "../bench.ts";
import { withWorker } from "../isolate.ts";
import { figuresOf, linesOf, type Times } from "../shapes/lines.ts";
import { dataFile, TASKS, writtenShapes } from "../shapes/written.ts";

const DATA = process.env.XPEFT_DATA ?? "../shared/data";

const FULL = { folder: ".cache/bench/shapes", only: [], data: DATA, tokens: [8, 32, 128], rounds: 41, turnMs: 150 };
const QUICK = {
  folder: ".cache/bench/shapes-quick",
  only: ["fp32"],
  data: null,
  tokens: [32],
  rounds: 3,
  turnMs: 20,
};

export const shapes: Bench = {
  name: "shapes",
  about: "other shapes of the encoder's graph, over the shipped int8 one, with their agreement with fp32 beside",
  async run({ quick, progress }) {
    const { folder, only, data, tokens, ...patience } = quick ? QUICK : FULL;
    const steps = tokens.length + 1;
    progress(0, steps, "writing graphs");
    const written = await writtenShapes(folder, { only, data });
    const graphs = Object.fromEntries(written.shapes.map(({ name, graph, weights }) => [name, { graph, weights }]));
    const times: Times = await withWorker(
      async (worker) => {
        const found = new Map<number, Record<string, number[]>>();
        for (const [done, length] of tokens.entries()) {
          progress(done + 1, steps, `${length} tokens`);
          found.set(length, await worker.measure("runs", { graphs, tokens: length, ...patience }));
        }
        return found;
      },
      { folders: [folder] },
    );
    const skipped = TASKS.filter((task) => !written.agreement[task]).map((task) =>
      data === null
        ? `agreement with fp32 on ${task}: left out of a quick run.`
        : `agreement with fp32 on ${task}: there is no ${resolve(dataFile(data, task))} (XPEFT_DATA names another folder).`,
    );
    return { figures: figuresOf(written, times), table: linesOf(written, times), skipped };
  },
};
