import { appendFileSync, readFileSync, truncateSync } from "node:fs";
import { CommandError } from "../../node/errors.ts";
import { nonBlankLines, parseProfiles } from "../../node/files.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { formatProfile } from "../../src/profiles/file-format.ts";
import type { NewProfile } from "../../src/profiles/profile.ts";
import type { NewTask } from "../../src/profiles/task.ts";

/** A `profiles.ndjson` that grows by one profile after the other. */
export interface LearntFile {
  /** Ids of the profiles that were in it when it was opened. */
  readonly known: ReadonlySet<string>;
  /** Whether its last line was broken off, and is gone now. */
  readonly torn: boolean;
  /** Adds a profile, in one write. */
  append(profile: NewProfile): void;
}

const NEWLINE = 0x0a;

/**
 * Opens a file to append learnt profiles to; it need not be there. A last line that a broken run has left is cut off.
 *
 * @throws XpeftError that names file and line, as `readProfilesFile` does; or CommandError if the file cannot be written
 */
export function openLearntFile(path: string, task: NewTask, bundle: Bundle): LearntFile {
  const append = (text: string) => onDisk(path, () => appendFileSync(path, text));
  if (path.endsWith(".gz"))
    throw new CommandError(`${path} would be zipped.`, "Profiles are appended to a plain file.");
  append("");
  const bytes = onDisk(path, () => readFileSync(path));
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  const tail = bytes.toString("utf8", end);
  const torn = isTorn(tail, task);
  const kept = torn ? bytes.subarray(0, end) : bytes;
  const known = new Set(parseProfiles(nonBlankLines(kept.toString()), path, task, bundle).keys());
  if (torn) onDisk(path, () => truncateSync(path, end));
  else if (tail !== "") append("\n");
  return { known, torn, append: (profile) => append(`${formatProfile(task.name, profile)}\n`) };
}

/** Whether a text is the beginning of a line of ours; nothing else is cut off, whichever file was named by mistake. */
function isTorn(tail: string, task: NewTask): boolean {
  const empty = { id: "", masks: new Uint8Array(), labelBias: null };
  const beginning = formatProfile(task.name, empty).replace(/"profile":.*$/, '"profile":"');
  if (tail === "" || !(tail.startsWith(beginning) || beginning.startsWith(tail))) return false;
  try {
    JSON.parse(tail);
    return false;
  } catch {
    return true;
  }
}

function onDisk<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new CommandError(`${path} cannot be written.`, "Name a file in a folder that is there.", { cause });
  }
}
