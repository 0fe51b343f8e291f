import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The project's files, those that are new included. */
export async function projectFiles(...patterns: string[]): Promise<string[]> {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z", ...patterns];
  const { stdout } = await promisify(execFile)("git", args);
  return stdout.split("\0").filter((path) => path !== "");
}
