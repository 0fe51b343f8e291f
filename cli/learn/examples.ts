import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { nonBlankLines, readText } from "../../node/files.ts";
import type { Example } from "../../src/learn/examples.ts";
import { profilePattern } from "../../src/profiles/names.ts";
import { PROFILE_RULE } from "../arguments.ts";
import { readCsv } from "./csv.ts";

/** A labelled text of a file. */
export interface FileExample extends Example {
  /** The line that it begins on, from 1. */
  readonly line: number;
  /** The profile that it says it is of, if it says so. */
  readonly profile: string | null;
}

/** What a file has of an example, with the line that it begins on. */
interface Row {
  readonly number: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const FIELDS = ["text", "label", "text_pair", "profile"] as const;

const COLUMNS_HINT =
  "The first line names the columns: text and label, and, where they are wanted, text_pair and profile; commas between them.";

const LINE_HINT = 'A line is {"text", "label", "text_pair"?, "profile"?}; the label is a string or a number.';

const unlessBlank = (text: string | null | undefined) => (text?.trim() ? text : null);

const rowSchema = z.strictObject({
  text: z.string().refine((text) => text.trim() !== "", "there is nothing to read in it"),
  label: z.union([z.string(), z.number()], "it is neither a string nor a number").transform(String),
  text_pair: z.string().nullish().transform(unlessBlank),
  profile: z
    .string()
    .nullish()
    .transform(unlessBlank)
    .refine((id) => id === null || profilePattern.test(id), PROFILE_RULE),
});

/**
 * Reads labelled texts: JSON Lines if the name ends in .jsonl or .ndjson, otherwise CSV with a header line; either may be zipped,
 * its name then ends in .gz.
 *
 * @returns at least one, in the file's order
 * @throws CommandError that names file and line
 */
export async function readExamples(path: string): Promise<FileExample[]> {
  const text = await readText(path);
  const lines = /\.(jsonl|ndjson)(\.gz)?$/i.test(path);
  const rows = lines ? rowsOfLines(text, path) : rowsOfCsv(text, path);
  if (rows.length === 0) {
    throw new CommandError(`${path} holds no examples.`, lines ? LINE_HINT : COLUMNS_HINT);
  }
  return rows.map((row) => exampleOf(row, path, lines ? LINE_HINT : COLUMNS_HINT));
}

function rowsOfLines(text: string, path: string): Row[] {
  return nonBlankLines(text).map(({ line, number }) => {
    try {
      return { number, fields: z.record(z.string(), z.unknown()).parse(JSON.parse(line)) };
    } catch {
      throw new CommandError(`${path}:${number} is not a JSON object.`, LINE_HINT);
    }
  });
}

function rowsOfCsv(text: string, path: string): Row[] {
  const [header, ...records] = readCsv(text, path);
  if (!header) return [];
  const columns = header.fields;
  const place = `${path}:${header.number}`;
  const missing = FIELDS.slice(0, 2).find((field) => !columns.includes(field));
  if (missing) throw new CommandError(`${place} names no column "${missing}".`, COLUMNS_HINT);
  const known: readonly string[] = FIELDS;
  const odd = columns.find((column, at) => !known.includes(column) || columns.indexOf(column) !== at);
  if (odd !== undefined) {
    const fault = known.includes(odd) ? `names the column "${odd}" twice` : `names a column "${odd}" that is not known`;
    throw new CommandError(`${place} ${fault}.`, COLUMNS_HINT);
  }
  return records.map(({ number, fields }) => ({
    number,
    fields: Object.fromEntries(columns.map((column, at) => [column, fields[at]])),
  }));
}

function exampleOf({ number, fields }: Row, path: string, hint: string): FileExample {
  const parsed = rowSchema.safeParse(fields);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CommandError(`${path}:${number}: ${issue?.path.join(".") || "the whole"}: ${issue?.message}.`, hint);
  }
  const { text, text_pair, label, profile } = parsed.data;
  return { line: number, profile, label, input: text_pair === null ? { text } : { text, textPair: text_pair } };
}
