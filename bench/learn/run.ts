// `npm run bench:learn -- FOLDER...`: learns the profiles of `python -m bench.newcomers` in a real Worker.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SingleBar } from "cli-progress";
import { program } from "commander";
import { table as formatTable } from "table";
import { describeError } from "../../cli/errors.ts";
import { DEFAULT_BUNDLE, readBundle, readProfilesFile, readTaskFile } from "../../node/files.ts";
import { startWorker } from "../../test/support/worker.ts";
import { drawSvg } from "../plots.ts";
import { stayOffline } from "../with-worker.ts";
import { readRun, readSavedRuns, readTexts, saveRun, writeWorkerScores } from "./files.ts";
import { learnProfile, scoresOf } from "./learn-profile.ts";
import { plotOf, type Summaries, summarize } from "./summary.ts";

const RESULTS = "bench/results";

/** Learns a folder's profiles. Resumable: numbers of texts that have scores are skipped. */
async function learnFolder(folder: string): Promise<void> {
  const { companion, edge } = await readRun(folder);
  const { task: name, newcomers: newProfiles, seed } = companion;
  const remaining = Object.keys(companion.counts).filter((count) => !edge.counts[count]);
  if (remaining.length === 0) return;
  const bundle = await readBundle(DEFAULT_BUNDLE);
  const task = await readTaskFile(join(folder, "base", "task.json"), bundle);
  const profiles = await readProfilesFile(join(folder, "base", "profiles.ndjson"), task, bundle);
  stayOffline();
  const worker = await startWorker();
  const bar = new SingleBar({ format: `${folder} {bar} {value}/{total} {step}` });
  bar.start(remaining.length * newProfiles.length, 0, { step: "" });
  try {
    await worker.push(task, profiles);
    for (const count of remaining) {
      const texts = await readTexts(folder, count);
      const learned = [];
      for (const id of newProfiles) {
        const ofProfile = texts.filter(({ profile }) => profile === id);
        learned.push(await learnProfile(worker, name, id, ofProfile, seed));
        bar.increment({ step: `${count} texts each` });
      }
      edge.counts[count] = scoresOf(learned);
      await writeWorkerScores(folder, edge);
    }
  } finally {
    bar.stop();
    await worker.close();
  }
}

function print(summaries: Summaries): void {
  const columns = ["task", "texts", "", "Worker", "add", "best without masks"];
  columns.push("Worker minus add", "Worker minus best without masks", "s each");
  const text = ({ mean, sd }: { mean: number; sd: number }) => `${mean} ± ${sd}`;
  const rows = Object.entries(summaries).flatMap(([task, counts]) =>
    Object.entries(counts).map(([count, { metric, worker, add, baseline, pairedDifference, secondsEach }]) => [
      ...[task, count, metric, text(worker), text(add), `${baseline.mean} (${baseline.name})`],
      ...[text(pairedDifference.add), text(pairedDifference.baseline), secondsEach],
    ]),
  );
  console.log(formatTable([columns, ...rows]));
}

program
  .name("npm run bench:learn --")
  .description(
    "Learns new profiles in the Worker and compares their scores with training and with methods without masks.",
  )
  .argument("[folders...]", "folders that `python -m bench.newcomers` wrote, one for each task and seed")
  .option("--results <folder>", "folder for learn/TASK-SEED.json, and for figures and plot of all saved runs", RESULTS)
  .action(async (folders: string[], { results }: { results: string }) => {
    for (const folder of folders) {
      await learnFolder(folder);
      await saveRun(results, await readRun(folder));
    }
    const summaries = summarize(await readSavedRuns(results));
    print(summaries);
    await writeFile(join(results, "learn.json"), `${JSON.stringify(summaries, null, 2)}\n`);
    await writeFile(join(results, "learn.svg"), await drawSvg(plotOf(summaries)));
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
