import { resolve } from "node:path";
import { z } from "zod";
import { missingPython, python } from "../../test/support/python.ts";
import { MissingDependency, runProgram } from "../programs.ts";
import { TEXTS } from "../variants/files.ts";

/** How often the kernels' quantization gives fp32's label, by task. */
const agreementSchema = z.record(z.string(), z.object({ texts: z.number(), same: z.number() }));

/**
 * Measures how often the packed encoder gives fp32's label.
 *
 * @param data folder of data sets
 * @returns the agreement on those data sets that are there
 * @throws MissingDependency if there is no Python
 */
export async function measureAgreement(data: string): Promise<z.infer<typeof agreementSchema>> {
  if (missingPython !== undefined) throw new MissingDependency(missingPython);
  const options = ["--data", resolve(data), "--texts", `${TEXTS}`];
  const args = ["-m", "bench.packed_agreement", ...options];
  return agreementSchema.parse(JSON.parse(await runProgram({ file: python, args, cwd: "training" })));
}
