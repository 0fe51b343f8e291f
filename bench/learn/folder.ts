import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { readTextLines } from "../../node/files.ts";
import { RECIPE } from "../../src/learn/recipe.ts";
import { commitNow } from "../commit.ts";

const scores = z.record(z.string(), z.number());

/** `companion.json`. */
export const companionSchema = z.object({
  task: z.string(),
  seed: z.int(),
  newcomers: z.array(z.string()),
  counts: z.record(z.string(), z.object({ companion: scores, without: z.record(z.string(), scores) })),
});

/** What `python -m bench.newcomers` found for one task and seed. */
export type Companion = z.infer<typeof companionSchema>;

/** `edge.json`. */
export const edgeSchema = z.object({
  commit: z.string(),
  recipe: z.record(z.string(), z.number()),
  counts: z.record(
    z.string(),
    z.object({ macro: z.number(), mae: z.number().optional(), seconds: z.number(), kept: scores }),
  ),
});

/** What the Worker came to, by training texts a newcomer; and by which recipe, at which commit it was begun. */
export type Edge = z.infer<typeof edgeSchema>;

const recordSchema = z.object({ profile: z.string(), text: z.string(), label: z.string(), split: z.string() });

/** A labelled text. */
export type LabelledText = z.infer<typeof recordSchema>;

/** Reads the companion's figures of a folder. */
export async function readCompanion(folder: string): Promise<Companion> {
  return companionSchema.parse(JSON.parse(await readFile(join(folder, "companion.json"), "utf8")));
}

/** Reads the Worker's figures of a folder; none if there are none yet, or if they were made by another recipe than today's. */
export async function readEdge(folder: string): Promise<Edge> {
  const none: Edge = { commit: await commitNow(), recipe: RECIPE, counts: {} };
  try {
    const edge = edgeSchema.parse(JSON.parse(await readFile(join(folder, "edge.json"), "utf8")));
    return isDeepStrictEqual(edge.recipe, { ...RECIPE }) ? edge : none;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return none;
    throw error;
  }
}

/** Reads the newcomers' texts where each has so many training texts. */
export async function readFew(folder: string, count: string): Promise<LabelledText[]> {
  const lines = await readTextLines(join(folder, `few-${count}.jsonl`));
  return lines.map(({ line }) => recordSchema.parse(JSON.parse(line)));
}
