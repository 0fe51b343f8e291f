import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { type ReadFile, readManifest } from "../src/bundle/files.ts";
import type { Bundle } from "../src/bundle/manifest.ts";
import { XpeftError } from "../src/errors.ts";
import { parseProfile, parseTask } from "../src/profiles/file-format.ts";
import type { NewProfile } from "../src/profiles/profile.ts";
import type { NewTask } from "../src/profiles/task.ts";
import { CommandError } from "./errors.ts";
import { packagePath } from "./package.ts";

/** The bundle that is deployed with the Worker. */
export const DEFAULT_BUNDLE = packagePath("bundles/minilm-l6-v2");

/** The demo: one folder a task, each with what a training writes. */
export const DEMO = packagePath("bundles/demo");

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
export function readBundle(folder: string): Promise<Bundle> {
  return readManifest(readFolder(folder));
}

/** The text of a file in UTF-8, without a byte order mark; a name that ends in .gz is unzipped. */
export async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(
      path.endsWith(".gz") ? await promisify(gunzip)(bytes) : bytes,
    );
  } catch (cause) {
    throw new CommandError(
      `${path} cannot be read.`,
      "Give a whole file in UTF-8: plain, or gzip if its name ends in .gz.",
      {
        cause,
      },
    );
  }
}

/** A line of a text, and its number from 1. */
export interface NumberedLine {
  readonly line: string;
  readonly number: number;
}

/** The lines of a text that hold something. */
export function nonBlankLines(text: string): NumberedLine[] {
  const lines = text.split(/\r?\n/);
  return lines.map((line, index) => ({ line, number: index + 1 })).filter(({ line }) => line.trim() !== "");
}

/** The lines of a text file that hold something. */
export async function readTextLines(path: string): Promise<NumberedLine[]> {
  return nonBlankLines(await readText(path));
}

/** Says where in a file an error was met. */
export function withLocation(error: unknown, place: string): unknown {
  if (!(error instanceof XpeftError)) return error;
  return new XpeftError(error.code, `${place}: ${error.message}`, error.hint, { cause: error.cause });
}

/** Reads `task.json`, checked against a bundle; an error names the file. */
export async function readTaskFile(path: string, bundle: Bundle): Promise<NewTask> {
  const text = await readText(path);
  try {
    return parseTask(text, bundle);
  } catch (error) {
    throw withLocation(error, path);
  }
}

/**
 * Reads the lines of a `profiles.ndjson`, every one checked against task and bundle; an error names file and line.
 *
 * @param path the file's, for errors
 * @returns the profiles by their ids
 */
export function parseProfiles(
  lines: readonly NumberedLine[],
  path: string,
  task: NewTask,
  bundle: Bundle,
): Map<string, NewProfile> {
  const profiles = new Map<string, NewProfile>();
  for (const { line, number } of lines) {
    try {
      const profile = parseProfile(line, task, bundle);
      if (profiles.has(profile.id)) {
        throw new XpeftError("invalid_row", `Profile "${profile.id}" is here twice.`, "Leave one of the two lines.");
      }
      profiles.set(profile.id, profile);
    } catch (error) {
      throw withLocation(error, `${path}:${number}`);
    }
  }
  return profiles;
}

/** Reads `profiles.ndjson`, every line checked against task and bundle; an error names file and line. */
export async function readProfilesFile(path: string, task: NewTask, bundle: Bundle): Promise<NewProfile[]> {
  const profiles = parseProfiles(await readTextLines(path), path, task, bundle);
  if (profiles.size === 0) throw new CommandError(`${path} holds no profile.`, "A training writes one line a profile.");
  return [...profiles.values()];
}
