// `npm run bench:learn -- FOLDER...`: newcomers of `python -m bench.newcomers`, learnt in a real Worker.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SingleBar } from "cli-progress";
import { program } from "commander";
import { table as drawTable } from "table";
import { describeError } from "../../cli/errors.ts";
import { DEFAULT_BUNDLE, readBundle, readProfilesFile, readTaskFile } from "../../node/files.ts";
import { startWorker } from "../../test/support/worker.ts";
import { stayOffline } from "../isolate.ts";
import { drawSvg } from "../plots.ts";
import { type Edge, readCompanion, readEdge, readFew } from "./folder.ts";
import { learnOne, scoresOf } from "./learn.ts";
import { plotOf } from "./plot.ts";
import { keepRun, readRuns } from "./runs.ts";
import { type Summary, summarise } from "./summary.ts";

const RESULTS = "bench/results";

/** Learns the newcomers of a folder that are not learnt yet. */
async function learnFolder(folder: string): Promise<void> {
  const { task: name, newcomers, seed, counts } = await readCompanion(folder);
  const done: Edge = await readEdge(folder);
  const left = Object.keys(counts).filter((count) => !done.counts[count]);
  if (left.length === 0) return;
  const bundle = await readBundle(DEFAULT_BUNDLE);
  const task = await readTaskFile(join(folder, "base", "task.json"), bundle);
  const profiles = await readProfilesFile(join(folder, "base", "profiles.ndjson"), task, bundle);
  stayOffline();
  const worker = await startWorker();
  const bar = new SingleBar({ format: `${folder} {bar} {value}/{total} {what}` });
  bar.start(left.length * newcomers.length, 0, { what: "" });
  try {
    await worker.push(task, profiles);
    for (const count of left) {
      const texts = await readFew(folder, count);
      const learnt = [];
      for (const one of newcomers) {
        const own = texts.filter(({ profile }) => profile === one);
        learnt.push(await learnOne(worker, name, one, own, seed));
        bar.increment({ what: `${count} texts each` });
      }
      done.counts[count] = scoresOf(learnt);
      // Kept at once, so that a run that is broken off goes on from here.
      await writeFile(join(folder, "edge.json"), `${JSON.stringify(done, null, 2)}\n`);
    }
  } finally {
    bar.stop();
    await worker.close();
  }
}

function show(summary: Record<string, Record<string, Summary>>): void {
  const rows = Object.entries(summary).flatMap(([task, counts]) =>
    Object.entries(counts).map(([count, found]) => [
      task,
      count,
      found.metric,
      `${found.edge} ± ${found.spread.edge}`,
      `${found.companion} ± ${found.spread.companion}`,
      `${found.bestWithout} (${found.bestWithoutIs})`,
      `${found.ahead.ofCompanion.mean} ± ${found.ahead.ofCompanion.sd}`,
      `${found.ahead.ofBestWithout.mean} ± ${found.ahead.ofBestWithout.sd}`,
      found.secondsEach,
    ]),
  );
  const head = [
    "task",
    "texts",
    "",
    "Worker",
    "companion",
    "best without",
    "ahead of companion",
    "of best without",
    "s each",
  ];
  console.log(drawTable([head, ...rows]));
}

program
  .name("npm run bench:learn --")
  .description("Learns newcomers in the Worker, and holds it against the companion and against what learns nothing.")
  .argument("[folders...]", "what `python -m bench.newcomers` wrote, a folder for each task and seed")
  .option(
    "--results <folder>",
    "where learn/TASK-SEED.json go, and the figures and plot of all that are there",
    RESULTS,
  )
  .action(async (folders: string[], { results }: { results: string }) => {
    for (const folder of folders) {
      await learnFolder(folder);
      await keepRun(results, { companion: await readCompanion(folder), edge: await readEdge(folder) });
    }
    const summary = summarise(await readRuns(results));
    show(summary);
    await writeFile(join(results, "learn.json"), `${JSON.stringify(summary, null, 2)}\n`);
    await writeFile(join(results, "learn.svg"), await drawSvg(plotOf(summary)));
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
