import { readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

const here = import.meta.dirname;

/** Where the package's files are; compiled, this one lies a folder deeper. */
const root = join(here, basename(dirname(here)) === "dist" ? "../.." : "..");

/** A file or folder of the package, as seen from the folder that the command was called in. */
export const ofPackage = (path: string): string => relative(process.cwd(), join(root, path)) || ".";

/** The package's version. */
export function readVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return version;
}
