import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const folder = import.meta.dirname;

/** The package's own folder. The compiled form of this file lies one folder deeper. */
const root = existsSync(join(folder, "../bundles")) ? dirname(folder) : dirname(dirname(folder));

/** Returns the path of a package's file: relative if it lies in the working folder, so that messages are short. */
export function packagePath(path: string): string {
  const absolute = join(root, path);
  const local = relative(process.cwd(), absolute);
  return local.startsWith("..") ? absolute : local;
}

/** Returns what the package says about itself. */
export function readAbout(): {
  version: string;
  description: string;
  license: string;
  peerDependencies: { wrangler: string };
} {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
}
