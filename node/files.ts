import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ReadFile, readManifest } from "../src/bundle/files.ts";
import type { Bundle } from "../src/bundle/manifest.ts";
import { XpeftError } from "../src/errors.ts";
import { parseProfile, parseTask } from "../src/profiles/file-format.ts";
import type { NewProfile } from "../src/profiles/profile.ts";
import { type ProfileTask, profileTaskOf } from "../src/profiles/profile-task.ts";
import type { NewTask } from "../src/profiles/task.ts";
import { CommandError } from "./errors.ts";
import { packagePath } from "./package.ts";
import { type NumberedLine, readJsonLines, readLines } from "./text-lines.ts";

/** The folder of the bundle that is deployed with the Worker. */
export const DEFAULT_BUNDLE = packagePath("bundles/minilm-l6-v2");

/** The folder of the demo: a folder for each task, with the files that a training writes. */
export const DEMO_FOLDER = packagePath("bundles/demo");

/** Returns a function that reads a folder's files. It returns null for a missing file. */
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

/** Reads a text file. @throws CommandError if it cannot be read or is not UTF-8 */
export async function readText(path: string): Promise<string> {
  const lines = await Array.fromAsync(readLines(path));
  return lines.map(({ line }) => line).join("\n");
}

/** Returns an XpeftError with its location put before the message; other errors unchanged. */
function withLocation(error: unknown, location: string): unknown {
  return error instanceof XpeftError ? error.withLocation(location) : error;
}

/**
 * Reads a `task.json` and checks it against a bundle.
 *
 * @throws XpeftError that names the file
 */
export async function readTaskFile(path: string, bundle: Bundle): Promise<NewTask> {
  const text = await readText(path);
  try {
    return parseTask(text, bundle);
  } catch (error) {
    throw withLocation(error, path);
  }
}

/**
 * Parses the lines of a `profiles.ndjson` and checks them against task and bundle.
 *
 * @param path the file's path, for errors
 * @returns the profiles by id
 * @throws XpeftError that names file and line
 */
export function parseProfiles(
  lines: readonly NumberedLine[],
  path: string,
  task: ProfileTask,
  bundle: Bundle,
): Map<string, NewProfile> {
  const profiles = new Map<string, NewProfile>();
  for (const { line, number } of lines) {
    try {
      const profile = parseProfile(line, task, bundle);
      if (profiles.has(profile.id)) {
        throw new XpeftError("invalid_row", `Profile "${profile.id}" appears twice.`, { reason: "duplicate" });
      }
      profiles.set(profile.id, profile);
    } catch (error) {
      throw withLocation(error, `${path}:${number}`);
    }
  }
  return profiles;
}

/**
 * Reads a `profiles.ndjson` and checks every line against task and bundle.
 *
 * @throws XpeftError that names file and line
 * @throws CommandError if the file cannot be read or has no profile
 */
export async function readProfilesFile(path: string, task: NewTask, bundle: Bundle): Promise<NewProfile[]> {
  const lines = await Array.fromAsync(readJsonLines(path));
  const profiles = parseProfiles(lines, path, await profileTaskOf(task), bundle);
  if (profiles.size === 0)
    throw new CommandError(`${path} has no profiles.`, "Name a profiles.ndjson with one line for each profile.");
  return [...profiles.values()];
}
