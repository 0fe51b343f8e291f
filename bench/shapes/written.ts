import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { python, withoutPython } from "../../test/support/python.ts";
import { PeerMissing } from "../peers/peer.ts";
import { runToEnd } from "../peers/process.ts";

const INDEX = "shapes.json";
const TRAINING = "training";
const HINT =
  "Set the training half up as training/README.md says, and run the bench again; or, in training/, `.venv/bin/python -m bench.shapes ../.cache/bench/shapes --data DATA`.";

/** Tasks whose texts agreement is measured on; each has a data set of its name. */
export const TASKS = ["news", "offense"] as const;

/** Texts of a task's dev split that agreement is measured on. */
export const TEXTS = 800;

/** Shares between 0 and 1. */
const agreementSchema = z.object({
  /** SHA-256 of the data set. */
  data: z.string(),
  texts: z.number(),
  /** Of fp32. */
  accuracy: z.number(),
  /** Texts with fp32's label, by shape. */
  same: z.record(z.string(), z.number()),
  /** Texts with the right label, by shape. */
  accuracies: z.record(z.string(), z.number()),
});

const indexSchema = z.object({
  /** SHA-256 of the files that all was made from. */
  sources: z.record(z.string(), z.string()),
  /** Shapes that were asked for, in order; none for all. */
  only: z.array(z.string()),
  /** Texts that agreement was to be measured on. */
  texts: z.number(),
  shapes: z.array(
    z.object({
      name: z.string(),
      about: z.string(),
      /** In the folder, or in the bundle if it is the shipped shape's. */
      graph: z.string(),
      weights: z.array(z.string()),
      /** Of the weights. */
      bytes: z.number(),
    }),
  ),
  /** By task; none where its data was not there. */
  agreement: z.partialRecord(z.enum(TASKS), agreementSchema),
});

/** Shapes of the encoder's graph in a folder, and what the companion found about them. */
export type Written = z.infer<typeof indexSchema>;

/** The shapes cannot be written here; the message says why, the hint what to do. */
export class ShapesMissing extends CommandError {
  constructor(reason: string) {
    super(`The other shapes of the graph are not written, and cannot be: ${reason}.`, HINT);
    this.name = "ShapesMissing";
  }
}

/** Where a task's data set would be in a folder of data sets. */
export const dataFile = (data: string, task: string): string => join(data, task, "profiles.jsonl.gz");

async function sha256(path: string): Promise<string | null> {
  if (!existsSync(path)) return null;
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

/** What a folder of shapes is to hold. */
export interface Wanted {
  /** Shapes beside the shipped one; all if it names none. */
  readonly only: readonly string[];
  /** Folder of data sets; null to leave agreement out. */
  readonly data: string | null;
}

/**
 * What a folder holds.
 *
 * @returns null if there is nothing, if it was made from other files than those that are here now or before data was here,
 * or if it was made by hand and has other shapes, or agreement on other texts
 */
export async function readWritten(folder: string, { only, data }: Wanted): Promise<Written | null> {
  const path = join(folder, INDEX);
  if (!existsSync(path)) return null;
  const written = indexSchema.safeParse(JSON.parse(await readFile(path, "utf8")));
  if (!written.success) return null;
  for (const [source, hash] of Object.entries(written.data.sources)) if ((await sha256(source)) !== hash) return null;
  if (written.data.only.join() !== only.toSorted().join()) return null;
  if (data === null) return written.data;
  if (written.data.texts !== TEXTS) return null;
  for (const task of TASKS) {
    const hash = await sha256(dataFile(data, task));
    if (hash !== null && written.data.agreement[task]?.data !== hash) return null;
  }
  return written.data;
}

/**
 * What a folder holds, once the training half has filled it if need be, which takes minutes with data.
 *
 * @throws ShapesMissing if they are to be written and there is no Python to do it
 */
export async function writtenShapes(folder: string, wanted: Wanted): Promise<Written> {
  const { only, data } = wanted;
  const there = await readWritten(folder, wanted);
  if (there) return there;
  if (withoutPython !== undefined) throw new ShapesMissing(withoutPython);
  const options = [
    ...only.flatMap((name) => ["--only", name]),
    ...(data === null ? [] : ["--data", resolve(data)]),
    ...["--texts", `${TEXTS}`],
  ];
  try {
    await runToEnd({ file: python, args: ["-m", "bench.shapes", resolve(folder), ...options], cwd: TRAINING });
  } catch (error) {
    throw error instanceof PeerMissing ? new ShapesMissing(error.message) : error;
  }
  const made = await readWritten(folder, wanted);
  if (!made) throw new Error(`bench.shapes has not written what was asked for into ${folder}.`);
  return made;
}
