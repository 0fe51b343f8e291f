import { execFile } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "../../scripts/install.mjs";
import { buildOnce } from "./once-a-run.ts";

const npm = (cwd: string, ...args: string[]) =>
  promisify(execFile)("npm", args, { cwd, shell: process.platform === "win32" });

/** Returns the path of the packed npm package, which a run packs once. */
export async function packPackage(): Promise<string> {
  const folder = await buildOnce("package", async (building) => {
    await mkdir(building, { recursive: true });
    await npm(root, "pack", "--pack-destination", building);
  });
  if (folder === undefined) throw new Error("only Vitest's tests pack the package");
  const name = (await readdir(folder)).find((file) => file.endsWith(".tgz")) ?? "";
  return join(folder, name);
}

/** Installs the packed package in a folder, as a user does, without what only its developers need. */
export async function installPackage(folder: string): Promise<void> {
  const options = ["--omit=dev", "--no-audit", "--no-fund", "--prefer-offline"];
  await npm(folder, "install", ...options, await packPackage());
}
