import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { companionSchema, edgeSchema } from "./folder.ts";

const runSchema = z.object({ companion: companionSchema, edge: edgeSchema });

/** One task and seed, measured by both halves. */
export type Run = z.infer<typeof runSchema>;

const runsIn = (results: string) => join(results, "learn");

/** Keeps a run's figures beside those of earlier ones; of the same task and seed the last one stays. */
export async function keepRun(results: string, run: Run): Promise<void> {
  const { task, seed } = run.companion;
  await mkdir(runsIn(results), { recursive: true });
  await writeFile(join(runsIn(results), `${task}-${seed}.json`), `${JSON.stringify(run, null, 2)}\n`);
}

/** Reads the figures of all runs that were kept, by task and seed. */
export async function readRuns(results: string): Promise<Run[]> {
  const files = (await readdir(runsIn(results))).filter((name) => name.endsWith(".json")).sort();
  return Promise.all(
    files.map(async (name) => runSchema.parse(JSON.parse(await readFile(join(runsIn(results), name), "utf8")))),
  );
}
