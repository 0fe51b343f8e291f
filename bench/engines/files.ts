import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { missingPython, python } from "../../test/support/python.ts";
import { MissingDependency, runProgram } from "../programs.ts";
import { TEXTS } from "../variants/files.ts";

/** How often the kernels' quantization gives fp32's label, by task. */
const agreementSchema = z.record(z.string(), z.object({ texts: z.number(), same: z.number() }));

/**
 * Writes the packed encoder into a folder.
 *
 * @param data folder of data sets on which agreement is measured; null for none
 * @returns the agreement on those data sets that are there
 * @throws MissingDependency if there is no Python
 */
export async function writePacked(folder: string, data: string | null): Promise<z.infer<typeof agreementSchema>> {
  if (missingPython !== undefined) throw new MissingDependency(missingPython);
  const options = data === null ? [] : ["--data", resolve(data), "--texts", `${TEXTS}`];
  await runProgram({ file: python, args: ["-m", "bench.packed", resolve(folder), ...options], cwd: "training" });
  return agreementSchema.parse(JSON.parse(await readFile(join(folder, "agreement.json"), "utf8")));
}
