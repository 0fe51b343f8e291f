// `npm run bench:learn -- FOLDER...`: learns the profiles of `python -m bench.newcomers` with the Worker's engine, in Node.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SingleBar } from "cli-progress";
import { program } from "commander";
import { mean, rollup } from "d3-array";
import { table as formatTable } from "table";
import { describeError } from "../../cli/errors.ts";
import { compileModules } from "../../node/engine.ts";
import { DEFAULT_BUNDLE, readBundle, readFolder, readProfilesFile, readTaskFile } from "../../node/files.ts";
import { createRandom } from "../../src/learn/random.ts";
import type { Start } from "../../src/learn/reader.ts";
import { RECIPE } from "../../src/learn/recipe.ts";
import { createEngine } from "../../src/serving/engine.ts";
import { rounded } from "../statistics.ts";
import { readSavedRuns, readTaskRun, readTexts, saveTaskRun, writeEdgeFigures } from "./files.ts";
import { learnNewcomer } from "./learn-profile.ts";
import { describeInterval, type Summaries, summarize } from "./summary.ts";

const RESULTS = "bench/results";

/** Every text is read once, not once a draw. */
const TRUNK_CACHE_BYTES = 2 ** 30;

/** Learns a folder's profiles. Resumable: draws and numbers of texts that have figures are skipped. */
async function learnFolder(folder: string): Promise<void> {
  const { companion, edge } = await readTaskRun(folder);
  const { newcomers, metric } = companion;
  const isDone = (run: { draw: number; texts: number }) =>
    edge.runs.some(({ draw, texts }) => draw === run.draw && texts === run.texts);
  const remaining = companion.runs.filter((run) => !isDone(run));
  if (remaining.length === 0) return;
  const bundle = await readBundle(DEFAULT_BUNDLE);
  const task = { ...(await readTaskFile(join(folder, "base", "task.json"), bundle)), generation: 1 };
  const profiles = await readProfilesFile(join(folder, "base", "profiles.ndjson"), task, bundle);
  const engine = await createEngine({
    read: readFolder(DEFAULT_BUNDLE),
    ...(await compileModules()),
    trunkCacheBytes: TRUNK_CACHE_BYTES,
  });
  const bar = new SingleBar({ format: `${folder} {bar} {value}/{total} {step}` });
  bar.start(remaining.length * newcomers.length, 0, { step: "" });
  try {
    for (const { draw, texts } of remaining) {
      const all = await readTexts(folder, draw, texts);
      const learnt = [];
      for (const [number, id] of newcomers.entries()) {
        const tried = createRandom(number).shuffled(profiles).slice(0, RECIPE.triedStarts);
        const starts: [Start, ...Start[]] = [
          { profile: null, parts: { masks: task.masks, labelBias: null } },
          ...tried.map(({ id: profile, masks, labelBias }) => ({ profile, parts: { masks, labelBias } })),
        ];
        const own = all.filter(({ profile }) => profile === id);
        learnt.push(await learnNewcomer(engine, task, starts, own, metric));
        bar.increment({ step: `${texts} texts each` });
      }
      const kept = rollup(
        learnt,
        (group) => group.length,
        (one) => one.kept,
      );
      edge.runs.push({
        draw,
        texts,
        figures: learnt.map(({ figure }) => rounded(figure)),
        kept: Object.fromEntries(kept),
        bytes: Math.max(...learnt.map(({ bytes }) => bytes)),
        seconds: rounded(mean(learnt, ({ seconds }) => seconds) ?? Number.NaN),
      });
      await writeEdgeFigures(folder, edge);
    }
  } finally {
    bar.stop();
  }
}

function print(summaries: Summaries): void {
  const columns = ["task", "texts", "learnt", "learnt minus", "difference in points, 95% interval", "bytes", "s each"];
  const rows = Object.entries(summaries).flatMap(([task, counts]) =>
    Object.entries(counts).flatMap(([texts, { learnt, bytes, seconds, differences }]) =>
      Object.entries(differences).map(([name, difference]) => [
        ...[task, texts, learnt.toFixed(3), name, describeInterval(difference)],
        ...[bytes, seconds],
      ]),
    ),
  );
  console.log(formatTable([columns, ...rows]));
}

program
  .name("npm run bench:learn --")
  .description("Learns new profiles with the Worker's engine and compares them with `add` and with simple choices.")
  .argument("[folders...]", "folders that `python -m bench.newcomers` wrote, one for each task")
  .option("--results <folder>", "folder for learn/TASK.json, and for the figures of all saved runs", RESULTS)
  .action(async (folders: string[], { results }: { results: string }) => {
    for (const folder of folders) {
      await learnFolder(folder);
      await saveTaskRun(results, await readTaskRun(folder));
    }
    const summaries = summarize(await readSavedRuns(results));
    print(summaries);
    await writeFile(join(results, "learn.json"), `${JSON.stringify(summaries, null, 2)}\n`);
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
