import { appendFileSync, readFileSync, truncateSync } from "node:fs";
import { Readable } from "node:stream";
import { CommandError } from "../../node/errors.ts";
import { parseProfiles } from "../../node/files.ts";
import { decodeLines, isGzip } from "../../node/text-lines.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { isBlank } from "../../src/lib/white-space.ts";
import { formatProfile } from "../../src/profiles/file-format.ts";
import type { NewProfile } from "../../src/profiles/profile.ts";
import { type ProfileTask, profileTaskOf } from "../../src/profiles/profile-task.ts";
import type { NewTask } from "../../src/profiles/task.ts";

/** A `profiles.ndjson` that learnt profiles are appended to. */
export interface LearntFile {
  readonly path: string;
  /** Ids of the profiles that it had when it was opened. */
  readonly ids: ReadonlySet<string>;
  /** Whether its last line was incomplete, and was removed. */
  readonly repaired: boolean;
  /** Appends a profile in one write. @param headHash of the head that it was learnt with */
  append(profile: NewProfile, headHash: string): void;
}

const NEWLINE = 0x0a;

/**
 * Opens a file to append learnt profiles to, and creates it if missing. Removes an incomplete last line, which an interrupted
 * run may have left.
 *
 * @throws XpeftError that names file and line, as `readProfilesFile` does; CommandError if the file cannot be written
 */
export async function openLearntFile(path: string, task: NewTask, bundle: Bundle): Promise<LearntFile> {
  const append = (text: string) => withFileErrors(path, () => appendFileSync(path, text));
  const gzip = new CommandError(`${path} is a gzip file by its name or content.`, "Name a plain file to append to.");
  if (path.endsWith(".gz")) throw gzip;
  append("");
  const bytes = withFileErrors(path, () => readFileSync(path));
  if (isGzip(bytes)) throw gzip;
  const lastLineStart = bytes.lastIndexOf(NEWLINE) + 1;
  const lastLine = bytes.toString("utf8", lastLineStart);
  const profileTask = await profileTaskOf(task);
  const repaired = isIncomplete(lastLine, profileTask);
  const complete = repaired ? bytes.subarray(0, lastLineStart) : bytes;
  const lines = await Array.fromAsync(decodeLines(Readable.from([complete]), path));
  const ids = new Set(
    parseProfiles(
      lines.filter(({ line }) => !isBlank(line)),
      path,
      profileTask,
      bundle,
    ).keys(),
  );
  if (repaired) withFileErrors(path, () => truncateSync(path, lastLineStart));
  else if (lastLine !== "") append("\n");
  return {
    path,
    ids,
    repaired,
    append: (profile, headHash) => append(`${formatProfile({ ...profileTask, headHash }, profile)}\n`),
  };
}

/** Whether a line is the start of a profile's line. Anything else stays, in case the user named a wrong file. */
function isIncomplete(line: string, task: ProfileTask): boolean {
  const empty = { id: "", masks: new Uint8Array(), labelBias: null };
  const start = formatProfile(task, empty).replace(/"profile":.*$/, '"profile":"');
  if (line === "" || !(line.startsWith(start) || start.startsWith(line))) return false;
  try {
    JSON.parse(line);
    return false;
  } catch {
    return true;
  }
}

function withFileErrors<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new CommandError(`${path} cannot be written.`, "Name a file in an existing folder that you may write to.", {
      cause,
    });
  }
}
