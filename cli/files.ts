import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { type ReadFile, readManifest } from "../src/bundle/files.ts";
import { XpeftError } from "../src/errors.ts";
import { parseProfile, parseTask, type TargetBundle } from "../src/exchange.ts";
import type { NewProfile, NewTask } from "../src/push.ts";

/** The bundle that is deployed with the Worker. */
export const DEFAULT_BUNDLE = "bundles/minilm-l6-v2";

/** The demo: one folder a task, each with what a training writes. */
export const DEMO = "bundles/demo";

/** Reads the files of a folder; null where there is no such file. */
export function readFolder(folder: string): ReadFile {
  return async (path) => {
    try {
      return await readFile(join(folder, path));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    }
  };
}

/** Reads the manifest of a bundle's folder. */
export function readBundle(folder: string): Promise<TargetBundle> {
  return readManifest(readFolder(folder));
}

/** The lines of a text file that hold something, with their numbers from 1; a name that ends in .gz is unzipped. */
export async function* readLines(path: string): AsyncGenerator<{ line: string; number: number }> {
  const file = createReadStream(path);
  // An error of the file would not reach the reader through pipe(), only its own stream's would.
  const input = path.endsWith(".gz") ? file.on("error", (error) => input.destroy(error)).pipe(createGunzip()) : file;
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (line.trim() !== "") yield { line, number };
  }
}

/** Says where in a file an error was met. */
function placed(error: unknown, place: string): unknown {
  if (!(error instanceof XpeftError)) return error;
  return new XpeftError(error.code, `${place}: ${error.message}`, error.hint, { cause: error.cause });
}

/** Reads `task.json`, checked against a bundle; an error names the file. */
export async function readTaskFile(path: string, bundle: TargetBundle): Promise<NewTask> {
  const text = await readFile(path, "utf8");
  try {
    return parseTask(text, bundle);
  } catch (error) {
    throw placed(error, path);
  }
}

/** Reads `profiles.ndjson`, every line checked against task and bundle; an error names file and line. */
export async function readProfilesFile(path: string, task: NewTask, bundle: TargetBundle): Promise<NewProfile[]> {
  const profiles = new Map<string, NewProfile>();
  for await (const { line, number } of readLines(path)) {
    try {
      const profile = parseProfile(line, task, bundle);
      if (profiles.has(profile.id)) {
        throw new XpeftError("invalid_row", `Profile "${profile.id}" is here twice.`, "Leave one of the two lines.");
      }
      profiles.set(profile.id, profile);
    } catch (error) {
      throw placed(error, `${path}:${number}`);
    }
  }
  return [...profiles.values()];
}
