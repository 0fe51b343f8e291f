import { CsvError, parse } from "csv-parse/sync";
import { z } from "zod";
import { CommandError } from "../../node/errors.ts";

/** A record of a CSV text. */
export interface CsvRecord {
  /** Number of the line that it starts on, from 1. */
  readonly number: number;
  readonly fields: readonly string[];
}

const parsedSchema = z.array(
  z.object({ record: z.array(z.string()), raw: z.string(), info: z.object({ lines: z.int() }) }),
);

const HINT =
  'Separate fields with commas, as many as the header has. Quote a field that contains a comma, a quote or a line break: "like ""this""".';

/**
 * Parses comma-separated values (RFC 4180) without blank lines. The header is the first record.
 *
 * @param path the file's path, for errors
 * @throws CommandError if the text is not CSV
 */
export function readCsv(text: string, path: string): CsvRecord[] {
  // The parser counts \r\n as two lines.
  const plain = text.replace(/\r\n?/g, "\n");
  let lastLine = 0;
  try {
    const options = { info: true, raw: true, skip_empty_lines: true, trim: true } as const;
    const parsed = parse(plain, {
      ...options,
      on_record(record, { lines }) {
        lastLine = lines;
        return record;
      },
    });
    // The parser gives the line that a record ends on.
    return parsedSchema.parse(parsed).map(({ record, raw, info }) => ({
      number: info.lines - (raw.trim().split("\n").length - 1),
      fields: record,
    }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    // The parser gives the end of the text, which may be far from the quote.
    if (cause.code === "CSV_QUOTE_NOT_CLOSED") {
      throw new CommandError(`${path}:${lastLine + 1}: a quote that opens here or later is not closed.`, HINT);
    }
    const location = typeof cause.lines === "number" ? `${path}:${cause.lines}` : path;
    throw new CommandError(`${location} cannot be read as CSV.`, HINT, { cause });
  }
}
