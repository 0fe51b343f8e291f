import { execFile } from "node:child_process";
import { promisify } from "node:util";

const git = async (...parts: string[]) => (await promisify(execFile)("git", parts)).stdout.trim();

/** The commit that is measured, with a plus where files differ from it. */
export async function commitNow(): Promise<string> {
  const [commit, changed] = await Promise.all([
    git("rev-parse", "--short", "HEAD"),
    git("status", "--porcelain", "--untracked-files=no", "--", ":!bench/results"),
  ]);
  return changed === "" ? commit : `${commit}+`;
}
