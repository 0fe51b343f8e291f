import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The variable with the folder of what a run's test files share. Vitest's global setup sets it. */
const ROOT = "XPEFT_PREBUILT";

const POLL_MS = 100;
const PATIENCE_MS = 300_000;

/**
 * Builds a folder once for all test files of a run.
 *
 * @param name tells what is built apart
 * @param build writes the folder
 * @returns the folder; undefined outside of Vitest
 */
export async function buildOnce(name: string, build: (folder: string) => Promise<void>): Promise<string | undefined> {
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
      if (existsSync(folder)) return folder;
      await build(`${folder}.building`);
      await rename(`${folder}.building`, folder);
    } finally {
      await rm(lock, { recursive: true, force: true });
    }
  }
  throw new Error(`${name} was not built within ${PATIENCE_MS / 1000} s.`);
}
