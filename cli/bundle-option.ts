import { statSync } from "node:fs";
import { InvalidArgumentError, Option } from "commander";
import { DEFAULT_BUNDLE } from "../node/files.ts";

// In a file of its own: the default loads the modules that read bundles, which most commands do not need.

function parseFolder(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new InvalidArgumentError("There is no such folder.");
}

/** Returns the option `--bundle`. */
export function bundleOption(description = "folder of the bundle that the task was trained on"): Option {
  return new Option("--bundle <folder>", description).default(DEFAULT_BUNDLE).argParser(parseFolder);
}
