import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { sha256Hex } from "../../src/lib/sha256.ts";
import { missingPython, python } from "../../test/support/python.ts";
import { MissingDependency, runProgram } from "../programs.ts";

const INDEX = "variants.json";
const TRAINING = "training";
const HINT =
  "Set up the training half as training/README.md says, then run the bench again. To write the graphs yourself, run in training/: .venv/bin/python -m bench.variants ../.cache/bench/variants --data DATA";

/** Tasks whose agreement is measured. Each has a data set of the same name. */
export const TASKS = ["news", "offense"] as const;

/** Texts of a task's dev split on which agreement is measured. */
export const TEXTS = 800;

/** Shares are between 0 and 1. */
const agreementSchema = z.object({
  /** SHA-256 of the data set. */
  data: z.string(),
  texts: z.number(),
  /** Accuracy of fp32. */
  accuracy: z.number(),
  /** Share of texts with fp32's label, by variant. */
  same: z.record(z.string(), z.number()),
  /** Share of texts with the correct label, by variant. */
  accuracies: z.record(z.string(), z.number()),
});

const indexSchema = z.object({
  /** SHA-256 of the source files. */
  sources: z.record(z.string(), z.string()),
  /** Variants that were requested, in order; empty for all. */
  only: z.array(z.string()),
  /** Texts on which agreement was to be measured. */
  texts: z.number(),
  variants: z.array(
    z.object({
      name: z.string(),
      about: z.string(),
      /** In the folder; the shipped variant's is in the bundle. */
      graph: z.string(),
      weights: z.array(z.string()),
      /** Bytes of the weights. */
      bytes: z.number(),
    }),
  ),
  /** By task; without tasks whose data was missing. */
  agreement: z.partialRecord(z.enum(TASKS), agreementSchema),
});

/** Variants of the encoder's graph in a folder, and what training measured. */
export type VariantFiles = z.infer<typeof indexSchema>;

/** The variants cannot be written here. The message says why. */
export class VariantsMissing extends CommandError {
  constructor(reason: string) {
    super(`The graph's variants cannot be written: ${reason}.`, HINT);
    this.name = "VariantsMissing";
  }
}

/** Returns the path of a task's data set in a folder of data sets. */
export const dataFile = (data: string, task: string): string => join(data, task, "profiles.jsonl.gz");

const hashFile = async (path: string): Promise<string | null> =>
  existsSync(path) ? await sha256Hex(await readFile(path)) : null;

/** What a folder of variants must have. */
export interface Requested {
  /** Variants beside the shipped one; empty for all. */
  readonly only: readonly string[];
  /** Folder of data sets; null for no agreement. */
  readonly data: string | null;
}

/**
 * Reads a folder of variants.
 *
 * @returns null if the folder is empty or outdated, or does not have what is requested
 */
export async function readVariants(folder: string, { only, data }: Requested): Promise<VariantFiles | null> {
  const path = join(folder, INDEX);
  if (!existsSync(path)) return null;
  const { data: files } = indexSchema.safeParse(JSON.parse(await readFile(path, "utf8")));
  if (!files) return null;
  for (const [source, hash] of Object.entries(files.sources)) if ((await hashFile(source)) !== hash) return null;
  if (files.only.join() !== only.toSorted().join()) return null;
  if (data === null) return files;
  if (files.texts !== TEXTS) return null;
  for (const task of TASKS) {
    const hash = await hashFile(dataFile(data, task));
    if (hash !== null && files.agreement[task]?.data !== hash) return null;
  }
  return files;
}

/**
 * Returns a folder's variants, after the training half has written them if necessary. That takes minutes with data.
 *
 * @throws VariantsMissing if they must be written and there is no Python
 */
export async function prepareVariants(folder: string, requested: Requested): Promise<VariantFiles> {
  const existing = await readVariants(folder, requested);
  if (existing) return existing;
  if (missingPython !== undefined) throw new VariantsMissing(missingPython);
  const { only, data } = requested;
  const options = [...only.flatMap((name) => ["--only", name]), "--texts", `${TEXTS}`];
  if (data !== null) options.push("--data", resolve(data));
  try {
    await runProgram({ file: python, args: ["-m", "bench.variants", resolve(folder), ...options], cwd: TRAINING });
  } catch (error) {
    throw error instanceof MissingDependency ? new VariantsMissing(error.message) : error;
  }
  const written = await readVariants(folder, requested);
  if (!written) throw new Error(`bench.variants did not write the requested variants into ${folder}.`);
  return written;
}
