import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { nonBlankLines, readText } from "../../node/files.ts";
import type { Example } from "../../src/learn/examples.ts";
import { labelFault } from "../../src/profiles/labels.ts";
import { profilePattern } from "../../src/profiles/names.ts";
import { PROFILE_RULE } from "../arguments.ts";
import { readCsv } from "./csv.ts";

/** A labelled text of a file. */
export interface FileExample extends Example {
  /** Number of the line that it starts on, from 1. */
  readonly line: number;
  /** The profile that the file names for it. */
  readonly profile: string | null;
}

/** The fields of an example before they are checked, with the number of the line that they start on. */
interface Row {
  readonly number: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const REQUIRED_FIELDS = ["text", "label"];
const FIELDS = [...REQUIRED_FIELDS, "text_pair", "profile"];

const COLUMNS_HINT =
  "The first line must name the columns text and label, and may name text_pair and profile, separated by commas.";

const LINE_HINT = 'Write each line as {"text", "label", "text_pair"?, "profile"?}. The label is a string or a number.';

/** Hints for values that break a field's rule. */
const FIELD_HINTS: Partial<Record<string, string>> = {
  label: "Give a label on one line, of 1 to 256 characters.",
  profile: PROFILE_RULE,
};

const blankToNull = (text: string | null | undefined) => (text?.trim() ? text : null);

const rowSchema = z.strictObject({
  text: z.string().refine((text) => text.trim() !== "", "it is blank"),
  label: z
    .union([z.string(), z.number()], "it must be a string or a number")
    .transform(String)
    .refine((label) => labelFault(label) === null, { error: ({ input }) => labelFault(String(input)) ?? undefined }),
  text_pair: z.string().nullish().transform(blankToNull),
  profile: z
    .string()
    .nullish()
    .transform(blankToNull)
    .refine((id) => id === null || profilePattern.test(id), "it is not a profile's id"),
});

/**
 * Reads labelled texts: JSON Lines if the name ends in `.jsonl` or `.ndjson`, otherwise CSV with a header. With `.gz` after
 * that, the file is decompressed.
 *
 * @returns at least one example, in the file's order
 * @throws CommandError that names file and line
 */
export async function readExamples(path: string): Promise<FileExample[]> {
  const text = await readText(path);
  const isJsonLines = /\.(jsonl|ndjson)(\.gz)?$/i.test(path);
  const hint = isJsonLines ? LINE_HINT : COLUMNS_HINT;
  const rows = isJsonLines ? parseJsonLines(text, path) : parseCsv(text, path);
  if (rows.length === 0) throw new CommandError(`${path} has no examples.`, hint);
  return rows.map((row) => parseRow(row, path, hint));
}

function parseJsonLines(text: string, path: string): Row[] {
  return nonBlankLines(text).map(({ line, number }) => {
    try {
      return { number, fields: z.record(z.string(), z.unknown()).parse(JSON.parse(line)) };
    } catch {
      throw new CommandError(`${path}:${number} is not a JSON object.`, LINE_HINT);
    }
  });
}

function parseCsv(text: string, path: string): Row[] {
  const [header, ...records] = readCsv(text, path);
  if (!header) return [];
  const columns = header.fields;
  checkColumns(columns, `${path}:${header.number}`);
  return records.map(({ number, fields }) => ({
    number,
    fields: Object.fromEntries(columns.map((column, index) => [column, fields[index]])),
  }));
}

/** @throws CommandError if a required column is missing, or one is unknown or repeated */
function checkColumns(columns: readonly string[], location: string): void {
  const missing = REQUIRED_FIELDS.find((field) => !columns.includes(field));
  if (missing) throw new CommandError(`${location}: there is no column "${missing}".`, COLUMNS_HINT);
  const unknown = columns.find((column) => !FIELDS.includes(column));
  if (unknown !== undefined) throw new CommandError(`${location}: the column "${unknown}" is unknown.`, COLUMNS_HINT);
  const repeated = columns.find((column, index) => columns.indexOf(column) !== index);
  if (repeated !== undefined)
    throw new CommandError(`${location}: the column "${repeated}" appears twice.`, COLUMNS_HINT);
}

function parseRow({ number, fields }: Row, path: string, hint: string): FileExample {
  const parsed = rowSchema.safeParse(fields);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".");
    const fieldHint = issue?.code === "custom" ? FIELD_HINTS[field ?? ""] : undefined;
    throw new CommandError(`${path}:${number}: ${field ? `${field}: ` : ""}${issue?.message}.`, fieldHint ?? hint);
  }
  const { text, text_pair, label, profile } = parsed.data;
  return { line: number, profile, label, input: text_pair === null ? { text } : { text, textPair: text_pair } };
}
