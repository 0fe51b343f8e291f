import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Returns the project's files, new ones included. */
export async function projectFiles(...patterns: string[]): Promise<string[]> {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z", ...patterns];
  const { stdout } = await promisify(execFile)("git", args);
  return stdout.split("\0").filter((path) => path !== "");
}
