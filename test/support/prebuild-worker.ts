import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { wrangler } from "../../scripts/install.mjs";
import { run } from "./processes.ts";

/** The variable with the folder of a run's built Workers. Vitest's global setup sets it. */
const ROOT = "XPEFT_PREBUILT";

const POLL_MS = 100;
const PATIENCE_MS = 300_000;

async function build(configPath: string, folder: string): Promise<void> {
  const building = `${folder}.building`;
  const args = ["deploy", "--dry-run", "--config", configPath, "--outdir", building];
  const { code, stdout, stderr } = await run([wrangler, ...args]);
  if (code !== 0) throw new Error(`The Worker cannot be built:\n${stdout}${stderr}`);
  await rename(building, folder);
}

/**
 * Builds a Worker like a deploy, once for all test files of a run.
 *
 * @param name tells Workers apart whose builds differ
 * @param configPath the configuration that names its entry
 * @returns the folder of the built Worker; undefined outside of Vitest
 */
export async function prebuildWorker(name: string, configPath: string): Promise<string | undefined> {
  const root = process.env[ROOT];
  if (root === undefined) return undefined;
  const folder = join(root, name.replaceAll("/", "-"));
  const lock = `${folder}.lock`;
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    if (existsSync(folder)) return folder;
    // Test files run in several processes: the one that makes the lock builds, the others wait.
    const locked = await mkdir(lock).then(
      () => true,
      () => false,
    );
    if (!locked) continue;
    try {
      if (!existsSync(folder)) await build(configPath, folder);
    } finally {
      await rm(lock, { recursive: true, force: true });
    }
  }
  throw new Error(`${name} was not built within ${PATIENCE_MS / 1000} s.`);
}
