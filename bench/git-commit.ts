import { execFile } from "node:child_process";
import { promisify } from "node:util";

const git = async (...args: string[]) => (await promisify(execFile)("git", args)).stdout.trim();

/** Returns the current commit, with a plus if tracked files have changed since. */
export async function currentCommit(): Promise<string> {
  const [commit, changes] = await Promise.all([
    git("rev-parse", "--short", "HEAD"),
    git("status", "--porcelain", "--untracked-files=no", "--", ":!bench/results"),
  ]);
  return changes === "" ? commit : `${commit}+`;
}
