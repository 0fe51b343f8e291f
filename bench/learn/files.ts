import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { readJsonLines } from "../../node/text-lines.ts";
import { RECIPE } from "../../src/learn/recipe.ts";
import { currentCommit } from "../git-commit.ts";

const scores = z.record(z.string(), z.number());

const companionSchema = z.object({
  task: z.string(),
  seed: z.int(),
  newcomers: z.array(z.string()),
  counts: z.record(z.string(), z.object({ companion: scores, without: z.record(z.string(), scores) })),
});

const edgeSchema = z.object({
  commit: z.string(),
  recipe: z.record(z.string(), z.number()),
  counts: z.record(
    z.string(),
    z.object({ macro: z.number(), mae: z.number().optional(), seconds: z.number(), kept: scores }),
  ),
});

/** `edge.json`: the Worker's scores by texts a profile, with the recipe and the commit of the first. */
export type WorkerScores = z.infer<typeof edgeSchema>;

const runSchema = z.object({ companion: companionSchema, edge: edgeSchema });

/** One task and seed: `companion.json` from `python -m bench.newcomers`, and the Worker's scores for the same profiles. */
export type Run = z.infer<typeof runSchema>;

const recordSchema = z.object({ profile: z.string(), text: z.string(), label: z.string(), split: z.string() });

/** A labelled text. */
export type LabelledText = z.infer<typeof recordSchema>;

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));
const writeJson = (path: string, value: unknown) => writeFile(path, `${JSON.stringify(value, null, 2)}\n`);

/** Reads a folder's run. The Worker's scores are empty if there are none yet, or if another recipe gave them. */
export async function readRun(folder: string): Promise<Run> {
  const companion = companionSchema.parse(await readJson(join(folder, "companion.json")));
  const path = join(folder, "edge.json");
  const edge = existsSync(path) ? edgeSchema.parse(await readJson(path)) : null;
  if (edge && isDeepStrictEqual(edge.recipe, { ...RECIPE })) return { companion, edge };
  return { companion, edge: { commit: await currentCommit(), recipe: RECIPE, counts: {} } };
}

/** Writes the Worker's scores of a folder. */
export const writeWorkerScores = (folder: string, scores: WorkerScores): Promise<void> =>
  writeJson(join(folder, "edge.json"), scores);

/** Reads the new profiles' texts for a number of training texts a profile. */
export async function readTexts(folder: string, count: string): Promise<LabelledText[]> {
  const lines = await Array.fromAsync(readJsonLines(join(folder, `few-${count}.jsonl`)));
  return lines.map(({ line }) => recordSchema.parse(JSON.parse(line)));
}

/** Saves a run beside earlier ones. It replaces one of the same task and seed. */
export async function saveRun(results: string, run: Run): Promise<void> {
  const { task, seed } = run.companion;
  await mkdir(join(results, "learn"), { recursive: true });
  await writeJson(join(results, "learn", `${task}-${seed}.json`), run);
}

/** Reads all saved runs, ordered by task and seed. */
export async function readSavedRuns(results: string): Promise<Run[]> {
  const folder = join(results, "learn");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  return Promise.all(names.map(async (name) => runSchema.parse(await readJson(join(folder, name)))));
}
