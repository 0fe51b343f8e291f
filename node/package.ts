import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const here = import.meta.dirname;

/** Where the package's files are; compiled, this one lies a folder deeper. */
const root = existsSync(join(here, "../bundles")) ? dirname(here) : dirname(dirname(here));

/** A file or folder of the package: as seen from the folder that the command was called in, where it lies within. */
export function packagePath(path: string): string {
  const absolute = join(root, path);
  const seen = relative(process.cwd(), absolute);
  return seen.startsWith("..") ? absolute : seen;
}

/** The package's version. */
export function readVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return version;
}
