import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { readJsonLines } from "../../node/text-lines.ts";
import { RECIPE } from "../../src/learn/recipe.ts";
import { currentCommit } from "../git-commit.ts";

/** Accuracies, or mean absolute errors, of a run's profiles in the order of `newcomers`. */
const figures = z.array(z.number());

const companionSchema = z.object({
  task: z.string(),
  data: z.string(),
  seed: z.int(),
  metric: z.enum(["accuracy", "mean absolute error"]),
  newcomers: z.array(z.string()),
  /** `methods` has the simple choices and `add`. */
  runs: z.array(z.object({ draw: z.int(), texts: z.int(), methods: z.record(z.string(), figures) })),
});

const edgeSchema = z.object({
  commit: z.string(),
  recipe: z.record(z.string(), z.number()),
  runs: z.array(
    z.object({
      draw: z.int(),
      texts: z.int(),
      figures,
      /** How often each candidate won. */
      kept: z.record(z.string(), z.int()),
      bytes: z.number(),
      seconds: z.number(),
    }),
  ),
});

/** `edge.json`: the engine's figures, with its recipe and the commit of the first. */
export type EdgeFigures = z.infer<typeof edgeSchema>;

const runSchema = z.object({ companion: companionSchema, edge: edgeSchema });

/** One task: `companion.json` from `python -m bench.newcomers`, and the engine's figures for the same profiles and texts. */
export type TaskRun = z.infer<typeof runSchema>;

const recordSchema = z.object({ profile: z.string(), text: z.string(), label: z.string(), split: z.string() });

/** A labelled text. */
export type LabelledText = z.infer<typeof recordSchema>;

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));
const writeJson = (path: string, value: unknown) => writeFile(path, `${JSON.stringify(value)}\n`);

/** Reads a folder. The engine's figures are empty if there are none yet, or if another recipe gave them. */
export async function readTaskRun(folder: string): Promise<TaskRun> {
  const companion = companionSchema.parse(await readJson(join(folder, "companion.json")));
  const path = join(folder, "edge.json");
  const edge = existsSync(path) ? edgeSchema.parse(await readJson(path)) : null;
  if (edge && isDeepStrictEqual(edge.recipe, { ...RECIPE })) return { companion, edge };
  return { companion, edge: { commit: await currentCommit(), recipe: RECIPE, runs: [] } };
}

/** Writes the engine's figures of a folder. */
export const writeEdgeFigures = (folder: string, edge: EdgeFigures): Promise<void> =>
  writeJson(join(folder, "edge.json"), edge);

/** Reads the newcomers' texts of a draw. */
export async function readTexts(folder: string, draw: number, texts: number): Promise<LabelledText[]> {
  const lines = await Array.fromAsync(readJsonLines(join(folder, `few-${draw}-${texts}.jsonl`)));
  return lines.map(({ line }) => recordSchema.parse(JSON.parse(line)));
}

/** Saves a task's run beside those of other tasks. */
export async function saveTaskRun(results: string, run: TaskRun): Promise<void> {
  await mkdir(join(results, "learn"), { recursive: true });
  await writeJson(join(results, "learn", `${run.companion.task}.json`), run);
}

/** Reads the saved runs of all tasks, in the order of their names. */
export async function readSavedRuns(results: string): Promise<TaskRun[]> {
  const folder = join(results, "learn");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  return Promise.all(names.map(async (name) => runSchema.parse(await readJson(join(folder, name)))));
}
