import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { missingPython, python } from "../../test/support/python.ts";
import { MissingDependency, runProgram } from "../programs.ts";

/** Where the files are that `python -m bench.packed` writes. */
export const FOLDER = ".cache/bench/engines";

/** Texts of a task's dev split on which agreement is measured. */
const TEXTS = 800;

const agreementSchema = z.record(
  z.string(),
  z.object({
    texts: z.number(),
    /** Fraction of texts with fp32's label. */
    same: z.number(),
  }),
);

/** How often the kernels' quantization gives fp32's label, by task. */
export type Agreement = z.infer<typeof agreementSchema>;

/**
 * Writes the packed encoder, unless it is there.
 *
 * @param data folder of data sets; null for no agreement
 * @returns the agreement; null if it was not measured
 * @throws MissingDependency if there is no Python
 */
export async function preparePacked(data: string | null): Promise<Agreement | null> {
  const agreement = join(FOLDER, "agreement.json");
  if (!existsSync(data === null ? join(FOLDER, "encoder.packed") : agreement)) {
    if (missingPython !== undefined) throw new MissingDependency(missingPython);
    const options = data === null ? [] : ["--data", resolve(data), "--texts", `${TEXTS}`];
    await runProgram({ file: python, args: ["-m", "bench.packed", resolve(FOLDER), ...options], cwd: "training" });
  }
  return existsSync(agreement) ? agreementSchema.parse(JSON.parse(await readFile(agreement, "utf8"))) : null;
}
