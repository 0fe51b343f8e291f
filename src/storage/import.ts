import type { TargetBundle } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";
import type { Line } from "../lib/ndjson.ts";
import { parseImportLine, profileFrom } from "../profiles/file-format.ts";
import type { NewProfile } from "../profiles/profile.ts";
import type { StoredTask } from "../profiles/task.ts";
import type { Database } from "./database.ts";
import { writeLines } from "./import-write.ts";

/** What became of a line: its profile's row, or why it was not written. */
export type LineResult = { readonly line: number } & (
  | { readonly profile: string; readonly status: "created" | "replaced" | "unchanged"; readonly generation: number }
  | { readonly profile: string | null; readonly status: "failed"; readonly error: XpeftError }
);

/** How profiles are to be imported. */
export interface ImportOptions {
  /** Whether to tell only what would be done. */
  readonly dryRun: boolean;
  /** Throws if the caller may not write this profile. */
  readonly allow: (id: string) => void;
}

/** A line that can be written. */
export interface ReadLine {
  readonly line: number;
  readonly profile: NewProfile;
  readonly expected: number | undefined;
}

const FAULTS = { encoding: "This is not UTF-8.", length: "This line is too long to be a profile's." };

/** The result of a line that was not written. @throws what was thrown, if it is not of this project's making */
export function failed(line: number, profile: string | null, thrown: unknown): LineResult {
  if (!(thrown instanceof XpeftError)) throw thrown;
  return { line, profile, status: "failed", error: thrown };
}

function twice(id: string, line: number): XpeftError {
  return new XpeftError(
    "mismatched_write",
    `Profile "${id}" is in line ${line} too.`,
    "Leave one of the two lines: which of them is meant cannot be told.",
  );
}

/** Writes a group of lines. @returns a result for each, in any order */
export type WriteGroup = (lines: readonly ReadLine[]) => Promise<LineResult[]>;

/**
 * Writes profiles as their lines arrive into a single database. Each group of lines is one transaction, and a profile that already is as its line
 * says is left at its generation, so that an import that was broken off can simply be sent again.
 *
 * @param task the task as the lines are checked against it
 * @param groups lines, as from `readLines`; the bytes of a group must be far under the 2 MB of a parameter
 * @returns a result for each line, in order, group by group
 * @throws XpeftError `database_unavailable`; what was given before stays written
 */
export function importProfiles(
  db: Database,
  task: StoredTask,
  bundle: TargetBundle,
  groups: AsyncIterable<readonly Line[]>,
  options: ImportOptions,
): AsyncGenerator<LineResult[]> {
  return importBy((lines) => writeLines(db, task, lines, options.dryRun), task, bundle, groups, options);
}

/** {@link importProfiles}, with lines written as `write` does. */
export async function* importBy(
  write: WriteGroup,
  task: StoredTask,
  bundle: TargetBundle,
  groups: AsyncIterable<readonly Line[]>,
  options: Pick<ImportOptions, "allow">,
): AsyncGenerator<LineResult[]> {
  const seen = new Map<string, number>();

  function parse({ number, text, fault }: Line): ReadLine | LineResult {
    let id: string | null = null;
    try {
      if (fault) throw new XpeftError("invalid_row", FAULTS[fault], "docs/formats.md tells what is expected.");
      const { fields, expected } = parseImportLine(text ?? "");
      id = fields.profile;
      options.allow(id);
      const earlier = seen.get(id);
      if (earlier !== undefined) throw twice(id, earlier);
      const profile = profileFrom(fields, task, bundle);
      seen.set(id, number);
      return { line: number, profile, expected };
    } catch (thrown) {
      return failed(number, id, thrown);
    }
  }

  for await (const group of groups) {
    const parsed = group.map(parse);
    const results = parsed.filter((one): one is LineResult => "status" in one);
    const good = parsed.filter((one): one is ReadLine => !("status" in one));
    if (good.length > 0) results.push(...(await write(good)));
    yield results.sort((a, b) => a.line - b.line);
  }
}
