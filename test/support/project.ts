import { execFile } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

/** Returns the project's files, new ones included. */
export async function projectFiles(...patterns: string[]): Promise<string[]> {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z", ...patterns];
  const { stdout } = await promisify(execFile)("git", args);
  return stdout.split("\0").filter((path) => path !== "");
}

/** Copies files of the project to a folder, and links the installed packages there. */
export async function copyProject(folder: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await cp(path, join(folder, path), { preserveTimestamps: true });
  }
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
}
