import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import type { Example } from "../../src/learn/examples.ts";
import { isBlank } from "../../src/lib/white-space.ts";
import { labelFault } from "../../src/profiles/labels.ts";
import { profilePattern } from "../../src/profiles/names.ts";
import { PROFILE_RULE } from "../arguments.ts";
import { isJsonLines, parseRow, readRows } from "../tables/tables.ts";

/** A labelled text of a file. */
export interface FileExample extends Example {
  /** Number of the line that it starts on, from 1. */
  readonly line: number;
  /** The profile that the file names for it. */
  readonly profile: string | null;
}

/** What a file of examples may be, for `--help`. */
export const EXAMPLES_FILE = `  CSV with a header, separated by commas, semicolons or tabs, or JSON Lines if its name ends
  in .jsonl or .ndjson; plain or gzip.`;

const COLUMNS_HINT =
  "The first line must name the columns text and label, and may name text_pair and profile. Commas, semicolons or tabs separate them.";

const LINE_HINT = 'Write each line as {"text", "label", "text_pair"?, "profile"?}. The label is a string or a number.';

/** Hints for values that break a field's rule. */
const FIELD_HINTS = {
  label: "Give a label on one line, of 1 to 256 characters.",
  profile: PROFILE_RULE,
};

const blankToNull = (text: string | null | undefined) => (text && !isBlank(text) ? text : null);

const rowSchema = z.object({
  text: z.string().refine((text) => !isBlank(text), "it is blank"),
  label: z
    .union([z.string(), z.number()], "it must be a string or a number")
    .transform(String)
    .refine((label) => labelFault(label) === null, { error: ({ input }) => labelFault(String(input)) ?? undefined }),
  text_pair: z.string().nullish().transform(blankToNull),
  // The API's name for it.
  textPair: z.undefined("it is called text_pair in files").optional(),
  profile: z
    .string()
    .trim()
    .nullish()
    .transform(blankToNull)
    .refine((id) => id === null || profilePattern.test(id), "it is not a profile's id"),
});

/**
 * Reads labelled texts from a table.
 *
 * @returns at least one example, in the file's order
 * @throws CommandError that names file and line
 */
export async function readExamples(path: string): Promise<FileExample[]> {
  const hint = isJsonLines(path) ? LINE_HINT : COLUMNS_HINT;
  const optional = ["text_pair", "textPair", "profile"];
  const rows = await readRows(path, { needed: ["text", "label"], optional, hint });
  if (rows.length === 0) throw new CommandError(`${path} has no examples.`, hint);
  return rows.map((row) => {
    const { text, text_pair, label, profile } = parseRow(rowSchema, row, path, hint, FIELD_HINTS);
    return { line: row.line, profile, label, input: text_pair === null ? { text } : { text, textPair: text_pair } };
  });
}
