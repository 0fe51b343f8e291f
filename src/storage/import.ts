import type { Bundle } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";
import type { Line } from "../lib/ndjson.ts";
import { checkProfileFields, parseImportLine } from "../profiles/file-format.ts";
import type { NewProfile } from "../profiles/profile.ts";
import { profileTaskOf } from "../profiles/profile-task.ts";
import type { StoredTask } from "../profiles/task.ts";

/** The result of a line: its profile's row, or the error for which it was not written. */
export type LineResult = { readonly line: number } & (
  | { readonly profile: string; readonly status: "created" | "replaced" | "unchanged"; readonly generation: number }
  | { readonly profile: string | null; readonly status: "failed"; readonly error: XpeftError }
);

/** How profiles are imported. */
export interface ImportOptions {
  /** Whether to report the results without writing. */
  readonly dryRun: boolean;
  /** Throws if the caller has no permission for a profile. */
  readonly allow: (id: string) => void;
}

/** A line that passed its checks. */
export interface ParsedLine {
  readonly line: number;
  readonly profile: NewProfile;
  readonly expected: number | undefined;
}

const FAULTS = { encoding: "This is not UTF-8.", length: "This line is longer than any profile." };

/** Returns the result of a line that was not written. @throws errors that are not XpeftErrors */
export function failedLine(line: number, profile: string | null, thrown: unknown): LineResult {
  if (!(thrown instanceof XpeftError)) throw thrown;
  return { line, profile, status: "failed", error: thrown };
}

function duplicateError(id: string, line: number): XpeftError {
  return new XpeftError("mismatched_write", `Profile "${id}" is in line ${line} too.`, { reason: "duplicate" });
}

/** Writes a group of lines. @returns a result for each line, in any order */
export type WriteGroup = (lines: readonly ParsedLine[]) => Promise<LineResult[]>;

/**
 * Checks profiles as their lines arrive and writes them group by group. A profile that already equals its line keeps
 * its generation, so an interrupted import can be sent again.
 *
 * @param write writes a group of checked lines in one transaction
 * @param task the lines are checked against this task
 * @param groups from `readLineGroups`; a group's bytes must stay far under the 2 MB limit of a parameter
 * @returns a result for each line, in order, group by group
 */
export async function* importGroups(
  write: WriteGroup,
  task: StoredTask,
  bundle: Bundle,
  groups: AsyncIterable<readonly Line[]>,
  options: Pick<ImportOptions, "allow">,
): AsyncGenerator<LineResult[]> {
  const seen = new Map<string, number>();
  const profileTask = await profileTaskOf(task);

  function checkLine({ number, text, fault }: Line): ParsedLine | LineResult {
    let id: string | null = null;
    try {
      if (fault) throw new XpeftError("invalid_row", FAULTS[fault], { reason: "format" });
      const { fields, expected } = parseImportLine(text ?? "");
      id = fields.profile;
      options.allow(id);
      const earlier = seen.get(id);
      if (earlier !== undefined) throw duplicateError(id, earlier);
      const profile = checkProfileFields(fields, profileTask, bundle);
      seen.set(id, number);
      return { line: number, profile, expected };
    } catch (thrown) {
      return failedLine(number, id, thrown);
    }
  }

  for await (const group of groups) {
    const checked = group.map(checkLine);
    const results = checked.filter((line): line is LineResult => "status" in line);
    const valid = checked.filter((line): line is ParsedLine => !("status" in line));
    if (valid.length > 0) results.push(...(await write(valid)));
    yield results.sort((a, b) => a.line - b.line);
  }
}
