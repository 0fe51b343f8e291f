import { CsvError, parse } from "csv-parse/sync";
import { z } from "zod";
import { CommandError } from "../../node/errors.ts";

/** A record of a CSV text. */
export interface CsvRecord {
  /** The line that it begins on, from 1. */
  readonly number: number;
  readonly fields: readonly string[];
}

const parsedSchema = z.array(
  z.object({ record: z.array(z.string()), raw: z.string(), info: z.object({ lines: z.int() }) }),
);

const HINT =
  'Separate fields by commas, as many as the header has; quote one that has a comma, a quote or a line\'s end in it, "like ""this""".';

/**
 * Reads comma-separated values (RFC 4180), empty lines left out; the header line is the first record.
 *
 * @param path the file's, for errors
 * @throws CommandError if it is not CSV
 */
export function readCsv(text: string, path: string): CsvRecord[] {
  // The library miscounts lines that end in more than a newline.
  const plain = text.replace(/\r\n?/g, "\n");
  let read = 0;
  try {
    const options = { info: true, raw: true, skip_empty_lines: true, trim: true } as const;
    const parsed = parse(plain, {
      ...options,
      on_record(record, { lines }) {
        read = lines;
        return record;
      },
    });
    return parsedSchema.parse(parsed).map(({ record, raw, info }) => ({
      number: info.lines - (raw.trim().split("\n").length - 1),
      fields: record,
    }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    // The library tells where the text ends, however far that is from the quote.
    if (cause.code === "CSV_QUOTE_NOT_CLOSED") {
      throw new CommandError(`${path}:${read + 1}: a quote that is opened here, or later, is not closed.`, HINT);
    }
    const place = typeof cause.lines === "number" ? `${path}:${cause.lines}` : path;
    throw new CommandError(`${place} cannot be read as CSV.`, HINT, { cause });
  }
}
