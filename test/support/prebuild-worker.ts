import { wrangler } from "../../scripts/install.mjs";
import { buildOnce } from "./once-a-run.ts";
import { run } from "./processes.ts";

/**
 * Builds a Worker like a deploy, once for all test files of a run.
 *
 * @param name tells Workers apart whose builds differ
 * @param configPath the configuration that names its entry
 * @returns the folder of the built Worker; undefined outside of Vitest
 */
export function prebuildWorker(name: string, configPath: string): Promise<string | undefined> {
  return buildOnce(name, async (folder) => {
    const args = ["deploy", "--dry-run", "--config", configPath, "--outdir", folder];
    const { code, stdout, stderr } = await run([wrangler, ...args]);
    if (code !== 0) throw new Error(`The Worker cannot be built:\n${stdout}${stderr}`);
  });
}
